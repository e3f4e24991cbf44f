"""One conversation on trial, with everything that a check may ask about."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property, lru_cache
from typing import Any, NamedTuple

from writ.domains.base import result
from writ.domains.database import leaf_paths
from writ.domains.environment import Malformed
from writ.domains.registry import OpenDomain
from writ.errors import ToolRefused
from writ.schema import Call, Check, Decision, Instruction, Result, Task, Trajectory, Wish
from writ.verification.causes import CAUSES
from writ.verification.transcript import Made, Transcript, replay


class Gold(NamedTuple):
    """Where a task's gold writes lead."""

    fingerprint: str
    """Of the end state."""
    refused: tuple[str, ...]
    """Tools of the writes that the environment refuses."""


@dataclass(frozen=True)
class Case:
    """Facts are computed when a check first asks."""

    site: OpenDomain
    trajectory: Trajectory
    task: Task | None
    instruction: Instruction | None
    certified: bool = True
    """Whether the task's decisions carry real certificates; False for tasks that came from elsewhere."""
    _forms: dict[tuple[int, str], Mapping[str, Sequence[str]]] = field(default_factory=dict)
    _outputs: dict[tuple[int, str], Sequence[Made]] = field(default_factory=dict)

    @cached_property
    def transcript(self) -> Transcript:
        return replay(self.site, self.trajectory, self._objection)

    def _objection(self, call: Call, read: Callable[[str, dict[str, Any]], Any]) -> str:
        """What the rules have against a write in the state that `read` reads; empty where it is allowed."""
        try:
            ruling = result(self.site.domain.permits(call, self.said(call)), read)
            if ruling.allowed or self._excused(call, read):
                return ""
        except (ToolRefused, *Malformed) as refusal:
            return f": the rules cannot be applied ({refusal})"
        return f"is forbidden by '{ruling.rule}'"

    def _excused(self, call: Call, read: Callable[[str, dict[str, Any]], Any]) -> bool:
        """Where no wish says what the user's reasons were: whether some turn of theirs, taken as the reason, makes the write allowed."""
        if self.wishes:
            return False
        turns = [message.content for message in self.trajectory.messages if message.role == "user" and message.content]
        return any(result(self.site.domain.permits(call, {"reason": turn}), read).allowed for turn in turns)

    def forms(self, made: Made) -> Mapping[str, Sequence[str]]:
        """Per argument leaf of a write, the lower-case texts any one of which states it."""
        if made.call is None:
            return {}
        key = (made.index, made.call.key)
        if key not in self._forms:
            forms = self.site.domain.forms(made.call, self.transcript.shown_before(made.index))
            self._forms[key] = {path: [form.lower() for form in texts if form] for path, texts in forms.items()}
        return self._forms[key]

    @cached_property
    def as_gold(self) -> bool:
        """Whether the end state is the one that the gold writes lead to, by whatever path."""
        if [made.call.key for made in self.transcript.done if made.call] == [call.key for call in self.due]:
            return True  # the same writes in the same order, none refused
        return self.transcript.fingerprint == self.gold.fingerprint

    @cached_property
    def gold(self) -> Gold:
        """What the gold writes lead to; refused ones change nothing (the benchmark has some)."""
        world = self.site.environment()
        refused = [call.name for call in (self.task.writes if self.task else ()) if not world.apply(call.name, call.arguments)]
        return Gold(world.fingerprint(), tuple(refused))

    @cached_property
    def landings(self) -> tuple[int | None, ...]:
        """Per decision: index of the message with the first of its writes; None where it has none in this conversation."""
        return tuple(self._landing(decision) for decision in self.decisions)

    @cached_property
    def due(self) -> tuple[Call, ...]:
        """Gold calls that write; a benchmark's gold lists reads too."""
        tools = self.site.domain.toolkit.tools
        return tuple(call for call in (self.task.writes if self.task else ()) if call.name in tools and tools[call.name].kind == "write")

    @property
    def decisions(self) -> Sequence[Decision]:
        return self.task.decisions if self.task else ()

    @property
    def wishes(self) -> Sequence[Wish]:
        return self.task.wishes if self.task else ()

    def _landing(self, decision: Decision) -> int | None:
        """By equal calls; failing that, by the tool alone, so that a wrong argument is still laid at the right decision."""
        keys, tools = {call.key for call in decision.calls}, {call.name for call in decision.calls}
        exact = [made.index for made in self.transcript.writes if made.call and made.call.key in keys]
        loose = [made.index for made in self.transcript.writes if made.name in tools]
        return next(iter(exact or loose), None)

    def decision_of(self, write: Call) -> int | None:
        """Index of the decision that this write belongs to; None for one that nobody asked for."""
        due = self._due_by_name.get(write.name, ())
        exact = (index for index, key in due if key == write.key)
        return next(exact, due[0][0] if due else None)

    @cached_property
    def _due_by_name(self) -> Mapping[str, Sequence[tuple[int, str]]]:
        """Tool -> index of the decision and key of each of its calls, in order."""
        found: dict[str, list[tuple[int, str]]] = {}
        for index, decision in enumerate(self.decisions):
            for call in decision.calls:
                found.setdefault(call.name, []).append((index, call.key))
        return found

    def said(self, write: Call) -> dict[str, Any]:
        """Slots of the wish that a write belongs to; empty where it belongs to none."""
        index = self.decision_of(write)
        return dict(self.wishes[index].slots) if index is not None and index < len(self.wishes) else {}

    def outputs_before(self, made: Made) -> Sequence[Made]:
        """Calls that were answered before a write: first those that its decision's certificate plans; of each part first those that asked for the
        fewest things that the write does not hold (a search from another city), then the latest."""
        key = (made.index, made.call.key if made.call else made.name)
        if key not in self._outputs:
            index = self.decision_of(made.call) if made.call else None
            planned = {call.key for call in self.decisions[index].certificate.plan} if index is not None else frozenset()
            held = [value for _, value in leaf_paths(made.call.arguments)] if made.call else []
            answered = [(each, each.call) for each in reversed(self.transcript.made) if each.index < made.index and each.call and not each.refused]
            answered.sort(key=lambda pair: (pair[1].key not in planned, sum(value not in held for value in pair[1].arguments.values())))
            self._outputs[key] = [each for each, _ in answered]
        return self._outputs[key]


@lru_cache(maxsize=1024)
def passed(name: str, detail: str = "") -> Check:
    return Check(name=name, result="pass", detail=detail)


def failed(name: str, cause: str, detail: str = "", turn: int | None = None, result: Result = "fail") -> Check:
    """A failed or unclear check; its owner follows from the cause."""
    return Check(name=name, result=result, cause=cause, owner=CAUSES[cause].owner, detail=detail, turn=turn)


@lru_cache(maxsize=256)
def not_applicable(name: str, why: str) -> Check:
    return Check(name=name, result="not_applicable", detail=why)

"""How the scripted agent goes wrong when a fault is armed. Some slips look into the world behind the conversation, to know what they must leave
unread and what a wrong write does; nothing of that reaches an agent without faults.
"""

import json
from collections.abc import Generator
from typing import TYPE_CHECKING, Any

from writ.domains.base import Outcome, run
from writ.domains.environment import Environment
from writ.errors import ToolRefused
from writ.schema import Call, Told, Wish
from writ.simulation.scripted.hearing import contains, refused
from writ.simulation.scripted.voice import Voice

if TYPE_CHECKING:
    from writ.simulation.scripted.agent import Act, Agent

_MISSPELLED = "lookup_everything"


def world(agent: "Agent") -> Environment:
    """The state behind the conversation: a fresh world with the agent's own writes."""
    behind = agent.site.environment()
    for call in agent.written:
        behind.call(call.name, call.arguments)
    return behind


def _before(agent: "Agent", outcome: Outcome) -> Environment:
    """The state in which a decision was made, for whoever asks about it once its writes are done."""
    behind, due = agent.site.environment(), {call.key for call in outcome.calls}
    for call in agent.written:
        if call.key not in due:
            behind.call(call.name, call.arguments)
    return behind


def _changes(agent: "Agent", call: Call) -> bool:
    """Whether a write would succeed and change the state now."""
    behind = world(agent)
    before = behind.fingerprint()
    return not behind.call(call.name, call.arguments).error and behind.fingerprint() != before


# ------------------------------------------------------------------------------------------------------------ reads


def plan_missing_read(agent: "Agent", wish: Wish) -> None:
    """Chooses a read that the decision needs, and without which it can still be stated where every argument comes from."""
    if not agent.faults.armed("missing_read") or agent.script.behavior.order == "reversed":
        return  # the task's certificate is of the other order
    behind = world(agent)
    kind = agent.domain.kinds[wish.kind]
    try:
        outcome, reads = run(kind.resolve(wish, agent.user_id), behind.read)
    except ToolRefused:
        return
    if not outcome.calls:
        return
    done = {call.key for call, _ in agent.shown}
    rivals = list(kind.rivals(wish, agent.user_id, behind, outcome))
    for read in reversed(reads):
        others = done | {other.key for other in reads if other.key != read.key}
        bare = any(all(refuter.key not in others for refuter in rival.refuters) for rival in rivals)
        if read.key not in done and bare and not agent.domain.free(read) and _spare(agent, read, reads, outcome, behind):
            agent.skipped = (read.key, behind.read(read.name, read.arguments))
            return


def _spare(agent: "Agent", read: Call, reads: tuple[Call, ...], outcome: Outcome, behind: Environment) -> bool:
    """Whether every argument of the decision, and of its other reads, also comes from elsewhere than this read."""
    elsewhere = agent.heard + json.dumps([value for _, value in agent.shown], default=str)
    for other in reads:
        if other.key != read.key:
            try:
                elsewhere += json.dumps(behind.read(other.name, other.arguments), default=str)
            except ToolRefused:
                continue
    own = json.dumps(behind.read(read.name, read.arguments), default=str)
    values = [value for call in (*outcome.calls, *reads) for value in _leaves(call.arguments)]
    return all(str(value) in elsewhere or str(value) not in own for value in values)


def unread(agent: "Agent", call: Call) -> tuple[Any] | None:
    """The output of a read that is to be left out, in a tuple; None for any other."""
    if agent.skipped is None or agent.skipped[0] != call.key or not agent.faults.fire("missing_read"):
        return None
    agent.faults.label("missing_read", "missing_read")
    return (agent.skipped[1],)


def forget_unread(agent: "Agent") -> None:
    """What was left out is not known to later decisions."""
    if agent.skipped is not None:
        agent.outputs.pop(agent.skipped[0], None)
        agent.skipped = None


def before_read(agent: "Agent", call: Call) -> "Generator[Act, str, None]":
    """Calls that go wrong before the right one."""
    if agent.faults.fire("malformed_arguments"):
        agent.faults.label("malformed_arguments", "malformed_arguments")
        yield from agent.use(call, arguments=json.dumps(call.arguments)[:-1] + ",")
    if agent.faults.fire("unknown_tool"):
        agent.faults.label("unknown_tool", "unknown_tool")
        yield from agent.use(call, tool=_MISSPELLED)
    if agent.faults.armed("failed_read") and (garbled := _garbled(agent, call)) is not None:
        agent.faults.fire("failed_read")
        agent.faults.label("failed_read")
        yield from agent.use(garbled)
    if agent.faults.fire("crowded_turn"):
        agent.faults.label("crowded_turn", "crowded_turn")
        yield from agent.use(call, text="One moment while I look that up.")


def _garbled(agent: "Agent", call: Call) -> Call | None:
    """The read with a scrambled id, where the tool refuses that."""
    for name, value in call.arguments.items():
        if isinstance(value, str) and any(char.isdigit() for char in value):
            garbled = Call(name=call.name, arguments={**call.arguments, name: value[::-1] + "0"})
            return garbled if world(agent).call(garbled.name, garbled.arguments).error else None
    return None


# ----------------------------------------------------------------------------------------------------------- writes


def instead_of(agent: "Agent", call: Call, outcome: Outcome) -> "Generator[Act, str, bool]":
    """A write that is left out or made wrong; True where the right one must not follow."""
    if agent.faults.fire("no_confirmation"):
        agent.faults.label("no_confirmation", "unconfirmed_write")
        return False
    if agent.open:
        return False  # a later wish could make good what goes wrong here
    if agent.faults.fire("missing_write"):
        agent.faults.label("missing_write", "missing_write")
        agent.left_out.add(call.key)
        return True
    if agent.faults.armed("wrong_argument") and (wrong := _altered(agent, call, outcome)) is not None:
        agent.faults.fire("wrong_argument")
        agent.faults.label("wrong_argument", "wrong_argument")
        yield from agent.use(wrong)
        return True
    return False


def _altered(agent: "Agent", call: Call, outcome: Outcome) -> Call | None:
    """The write with one value replaced by another that the conversation holds, such that it succeeds and does something else."""
    if sum(wish.kind in _kinds_of(agent, call) for wish in agent.script.wishes) > 1:
        return None
    right = world(agent)
    right.call(call.name, call.arguments)
    due = {each.key for each in outcome.calls}
    for wrong in _variants(agent, call):
        end = world(agent)
        if wrong.key not in due and not end.call(wrong.name, wrong.arguments).error and end.fingerprint() != right.fingerprint():
            return wrong
    return None


def _kinds_of(agent: "Agent", call: Call) -> list[str]:
    return [name for name, kind in agent.domain.kinds.items() if call.name in kind.tools]


def _variants(agent: "Agent", call: Call) -> "Generator[Call, None, None]":
    """The call with one top-level text replaced by another value that tools have shown or the user has misspoken."""
    seen = [leaf for _, value in agent.shown for leaf in _leaves(value) if isinstance(leaf, str)]
    said = [fact.wrong for facts in agent.script.facts for fact in facts if fact.wrong]
    for name, value in reversed(call.arguments.items()):
        if isinstance(value, str):
            alike = dict.fromkeys(other for other in (*said, *seen) if other != value and _shape(other) == _shape(value))
            yield from (Call(name=call.name, arguments={**call.arguments, name: other}) for other in list(alike)[:8])


def _shape(text: str) -> str:
    return "".join("9" if char.isdigit() else "a" if char.isalpha() else char for char in text)


def repeated_write(agent: "Agent", call: Call) -> "Generator[Act, str, None]":
    """The same write once more; what it is follows from what the environment says to it."""
    if agent.open or not agent.faults.fire("repeated_write"):
        return
    turn, changes = agent.turn, _changes(agent, call)
    content = yield from agent.use(call)
    cause = "" if refused(content) is not None else "wrong_end_state" if changes else "repeated_write"
    agent.faults.label("repeated_write", cause, turn)


def extra_write(agent: "Agent", wish: Wish, outcome: Outcome) -> "Generator[Act, str, None]":
    """One more write that a near miss invites, after all that was wanted is done."""
    if not agent.faults.armed("extra_write"):
        return
    done = {call.key for call in agent.written} | agent.left_out
    for distractor in agent.domain.kinds[wish.kind].distractors(wish, agent.user_id, _before(agent, outcome), outcome):
        for call in distractor.calls:
            if call.key not in done and _changes(agent, call):
                agent.faults.fire("extra_write")
                agent.faults.label("extra_write", "extra_write")
                yield from agent.use(call)
                return


def forbidden_write(agent: "Agent", wish: Wish, outcome: Outcome) -> "Generator[Act, str, None]":
    """Tries what the rules deny. It is denied by name all the same: the attempt is the fault."""
    if not agent.faults.armed("forbidden_write"):
        return
    for distractor in agent.domain.kinds[wish.kind].distractors(wish, agent.user_id, world(agent), outcome):
        call = distractor.calls[0]
        named = len(agent.script.wishes) == 1 or any(mention.lower() in call.key.lower() for mention in outcome.mentions)
        if named or _changes(agent, call):
            agent.faults.fire("forbidden_write")
            agent.faults.label("forbidden_write", "extra_write" if _changes(agent, call) else "forbidden_write")
            yield from agent.use(call)
            return


# ------------------------------------------------------------------------------------------------------------ words


def leaves_out(agent: "Agent", told: Told) -> bool:
    """Whether a value that was asked for is kept back: one that nothing else says, a summary of the write or a later wish that costs nothing too."""
    tellable = told.form in ("money", "date") and not any(contains(agent.spoken, spelling) for spelling in _spellings(told))
    if not tellable or (agent.open and not told.value.strip("0.")) or not agent.faults.fire("missing_fact"):
        return False
    agent.faults.label("missing_fact", "missing_fact")
    return True


def _spellings(told: Told) -> set[str]:
    """`308.00` is said by `$308` as well."""
    whole = told.value.removesuffix(".00")
    return {told.value, told.value.lstrip("0")} | ({whole} if told.form == "money" and whole.strip("0") else set())


def passes_over(agent: "Agent", outcome: Outcome) -> bool:
    """Whether a denial is left unsaid: the last one, of something that no other refusal has named."""
    if agent.open or any(mention.lower() in agent.spoken.lower() for mention in outcome.mentions) or not agent.faults.fire("not_declined"):
        return False
    agent.faults.label("not_declined", "not_declined")
    return True


def needless_transfer(agent: "Agent", voice: Voice) -> "Generator[Act, str, None]":
    """Hands over what is settled."""
    agent.faults.label("needless_transfer", "needless_transfer")
    summary = voice.say("transfer_summary", user=agent.user_id, subject="everything", clause="it is settled")
    yield from agent.use(Call(name="transfer_to_human_agents", arguments={"summary": summary}))


def _leaves(value: Any) -> "Generator[Any, None, None]":
    if isinstance(value, dict):
        yield from value
        value = list(value.values())
    if isinstance(value, list):
        for item in value:
            yield from _leaves(item)
    else:
        yield value

"""What the page shows, for a terminal: a conversation with where each argument of a write came from, and a task with its certificate."""

import json
import re
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence

from rich.console import Group, RenderableType
from rich.padding import Padding
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from writ.report.calls import call_of, call_text, leaves, tool_at
from writ.report.index import title_of
from writ.report.losses import loss
from writ.report.names import Facts, argument_name, humane, rule_text, term, value_name, value_text
from writ.report.reasons import Change, Sentence, Strong, changes, choices
from writ.schema import Candidate, Decision, Message, Origin, Task, ToolCall, Verdict
from writ.streams import Conversation

LIT = "black on yellow"
_HIDDEN = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\xad\u061c\u200b-\u200f\u202a-\u202e\u2060-\u206f\ufeff]")
_PREVIEW_CHARACTERS = 160
_SHORTEST_ID = 4
_WHO = {"user": ("Customer", "bold cyan"), "assistant": ("Agent", "bold"), "tool": ("Result", "dim"), "system": ("System", "dim")}
_STATUS = {"winner": "bold green", "runner_up": "", "eligible": "", "excluded": "dim"}


def visible(text: str) -> str:
    """The text with characters that steer a terminal, hide or reorder others written as their codes."""
    return _HIDDEN.sub(lambda found: f"<U+{ord(found[0]):04X}>", text)


def show_conversation(conversation: Conversation, verdict: Verdict, domain: Facts, *, full: bool = False) -> Iterator[RenderableType]:
    """The chat, its verdict in place, and its task. `full`: tool results whole."""
    trajectory, task, instruction = conversation
    told = {(change.turn, change.place): change for change in changes(conversation, verdict, domain)}
    notes = _notes(conversation, verdict, list(told.values()), domain)
    yield Text(visible(title_of(task)), style="bold")
    yield Text(visible(instruction.reason_for_call), style="italic")
    yield Text(
        f"{trajectory.id} · {task.domain} · {term('kinds', task.kind)} · changes {len(task.writes)} · look-ups needed {task.burden}", style="dim"
    )
    yield from _verdict(verdict, list(told.values()), notes)
    lit = _lit(verdict.origins)
    for turn, message in enumerate(trajectory.messages):
        yield from _message(turn, message, conversation, verdict, told, lit[turn], full)
        yield from (Padding(note, (0, 0, 0, 6)) for note in notes[turn])
    yield from notes[None]
    yield Text()
    yield from show_task(task, domain)


def _verdict(verdict: Verdict, told: Sequence[Change], notes: Mapping[int | None, Sequence[Text]]) -> Iterator[Text]:
    """Whether it is kept, and in a sentence each why its changes are right, or what went wrong."""
    if verdict.kept:
        yield Text("Kept: every check passed", style="bold green")
        yield from (Text.assemble(("  ✓ ", "green"), f"message {change.turn}: ", *_styled(change.why[0], "bold")) for change in told if change.why)
        return
    yield Text.assemble((f"Lost: {term('causes', verdict.cause)}. ", "bold red"), (f"Owner: {term('owners', verdict.owner or '').lower()}.", "red"))
    cause = next((check for check in verdict.checks if check.cause == verdict.cause), None)
    yield from notes[cause.turn][:1] if cause else ()


def _styled(sentence: Sentence, style: str) -> Iterator[str | tuple[str, str]]:
    for part in sentence:
        yield f"message {part}" if isinstance(part, int) else (visible(part.text), style) if isinstance(part, Strong) else visible(part)


def _lit(origins: Sequence[Origin]) -> dict[int, list[str]]:
    """Turn -> the values that stand in it and justify a write."""
    lit: dict[int, list[str]] = defaultdict(list)
    for origin in origins:
        if origin.turn is not None:
            lit[origin.turn].append(str(origin.value))
    return lit


def _notes(conversation: Conversation, verdict: Verdict, told: Sequence[Change], domain: Facts) -> dict[int | None, list[Text]]:
    """What failed, by the message at fault, the cause of the loss first; under None what has no message."""
    notes: dict[int | None, list[Text]] = defaultdict(list)
    for check in sorted(verdict.checks, key=lambda check: check.cause != verdict.cause):
        if check.result in ("fail", "unclear"):
            said = [(part, "red") if isinstance(part, str) else part for part in _styled(loss(conversation, check, told, domain), "bold red")]
            note = Text.assemble((f"✕ {term('causes', check.cause)}: ", "bold red"), *said)
            if note not in notes[check.turn]:
                notes[check.turn].append(note)
    return notes


def _message(
    turn: int, message: Message, conversation: Conversation, verdict: Verdict, told: Mapping[tuple[int, int], Change], lit: Sequence[str], full: bool
) -> Iterator[RenderableType]:
    who, style = _WHO[message.role]
    if message.content or not message.tool_calls:
        content = visible(message.content or "")
        if message.role == "tool" and not full and len(content) > _PREVIEW_CHARACTERS:
            content = _around(content, lit)
        yield _highlighted(Text.assemble((f"{turn:>3}  ", "dim"), (f"{'Refused' if message.error else who}  ", style), content), lit)
    origins = [origin for origin in verdict.origins if origin.call == turn]
    for place, call in enumerate(message.tool_calls):
        if (turn, place) in told:
            yield from _write(told[turn, place], call, origins, conversation.trajectory.messages)
        else:
            yield Text.assemble((f"{turn:>3}  ", "dim"), ("Look-up  ", "dim"), (visible(call.name), "bold"), f" {visible(call.arguments)}")


def _around(text: str, lit: Sequence[str]) -> str:
    """A long result cut to one line that still holds the first value that matters."""
    at = min((found for value in lit if (found := text.find(value)) >= 0), default=0)
    start = max(0, at - _PREVIEW_CHARACTERS // 2)
    return f"{'… ' if start else ''}{text[start : start + _PREVIEW_CHARACTERS]} …"


def _highlighted(text: Text, values: Sequence[str]) -> Text:
    for value in values:
        spelled = re.escape(visible(value)).replace("_", "[_ ]")
        text.highlight_regex(rf"(?i)(?<!\w){spelled}(?!\w)", LIT)
    return text


def _write(change: Change, call: ToolCall, origins: list[Origin], messages: Sequence[Message]) -> Iterator[RenderableType]:
    """A write: how it stands to the right answer, why, and where each argument came from. Takes the origins that it shows out of the list."""
    table, written = Table.grid(padding=(0, 2)), call_of(call)
    mark, style = ("✓", "green") if change.right else ("✕", "red")
    for path, value in leaves(written.arguments) if written else [("as written", call.arguments)]:
        origin = next((each for each in origins if each.argument == path and each.value == value), None)
        if origin is not None:
            origins.remove(origin)
        source = _source(origin, messages)
        if path in change.wanted:
            source = Text.assemble((f"should be {visible(str(change.wanted[path]))}; ", "bold red"), source)
        table.add_row(Text(visible(argument_name(path)), style="dim"), Text(visible(str(value)), style=LIT if origin else ""), source)
    said = [Text.assemble((f"{mark} ", style), *_styled(sentence, f"bold {style}")) for sentence in change.why]
    inside = Group(*said, Text(), table) if said else table
    title = f"{change.turn} Change: {visible(humane(call.name))}, {change.word}"
    yield Panel(inside, title=title, title_align="left", border_style="yellow", expand=False)


def _source(origin: Origin | None, messages: Sequence[Message]) -> Text:
    if origin is None:
        return Text("")
    shown = _pointed_to(origin, messages)
    if shown is not None:
        return Text(
            f"the customer described it in message {origin.turn}; {visible(tool_at(messages, shown))} showed it in message {shown}", style="cyan"
        )
    if origin.kind == "said":
        return Text(f"the customer said it in message {origin.turn}", style="cyan")
    if origin.kind == "shown":
        return Text(
            f"{visible(tool_at(messages, origin.turn or 0))} showed it in message {origin.turn} ({origin.path or 'the whole result'})", style="green"
        )
    if origin.kind == "formula":
        return Text(f"worked out: {origin.path.replace('_', ' ')}", style="green")
    return Text("from nowhere: nobody said it and no tool showed it", style="bold red")


def _pointed_to(origin: Origin, messages: Sequence[Message]) -> int | None:
    """The output that showed a value which the customer only pointed to, such as a card "ending in 0199"; None where the value itself was said."""
    if origin.kind != "said" or origin.turn is None or not isinstance(origin.value, str) or len(origin.value) < _SHORTEST_ID:
        return None
    if _spelled(origin.value) in _spelled(messages[origin.turn].content or ""):
        return None
    quoted = json.dumps(origin.value)
    return next((turn for turn in range(origin.call - 1, -1, -1) if messages[turn].role == "tool" and quoted in (messages[turn].content or "")), None)


def _spelled(text: str) -> str:
    return text.replace("_", " ").lower()


def show_task(task: Task, domain: Facts) -> Iterator[RenderableType]:
    """The right answer of every wish, its candidates and its proof, and the mistakes that it invites."""
    yield Text.assemble(("The right answer  ", "bold"), (task.id, "dim"))
    asks = task.asks or [f"{wish.kind} {json.dumps(wish.slots, ensure_ascii=False)}" for wish in task.wishes]
    for ask, decision in zip(asks, task.decisions, strict=True):
        yield Padding(Text(visible(ask), style="italic"), (0, 0, 0, 2))
        yield Padding(Group(*_decision(decision, domain)), (0, 0, 1, 4))
    if task.ordered:
        yield Text("  The order of the wishes matters: in another, the right answer is another.", style="dim")
    for mistake in dict.fromkeys(distractor.mistake for distractor in task.distractors):
        yield Text(f"  wrong: {visible(mistake)}", style="dim")


def _decision(decision: Decision, domain: Facts) -> Iterator[RenderableType]:
    subject = f": {decision.subject}" if decision.subject else ""
    yield Text(visible(f"{term('outcomes', decision.outcome)}{subject}"), style="bold")
    if decision.rule:
        yield Text(visible(f"Because of the rule: {rule_text(decision.rule, domain)}"))
    yield from (Text(f"  {visible(call_text(call))}", style="green") for call in decision.calls)
    yield from (Text(f"  must tell {told.name.replace('_', ' ')}: {visible(told.value)}") for told in decision.told)
    certificate = decision.certificate
    yield from map(_candidates, choices(decision))
    more = f"; {certificate.relevant} bear on the question, so a careful agent may make them all" if certificate.relevant > certificate.burden else ""
    yield Text(f"The fewest look-ups that prove it: {certificate.burden}{more}", style="dim")
    yield from (Text(f"  {visible(call_text(call))}", style="dim") for call in certificate.plan)


def _candidates(choice: Sequence[Candidate]) -> Table:
    """One choice, from the best to those that are out."""
    table = Table(title=f"{len(choice)} {choice[0].choice or 'looked at'}", title_justify="left", title_style="dim")
    names = list(dict.fromkeys(name for candidate in choice for name in candidate.values))
    ranked = any(candidate.status == "runner_up" for candidate in choice)
    for heading in ("", *map(value_name, names), "Why"):
        table.add_column(heading)
    for candidate in choice:
        values = (visible(value_text(name, candidate.values[name])) if name in candidate.values else "" for name in names)
        status = "Fits" if candidate.status == "winner" and not ranked else term("statuses", candidate.status)
        why = f"{status}{f': {candidate.why}' if candidate.why else ''}"
        table.add_row(*(Text(cell) for cell in (visible(candidate.label), *values, visible(why))), style=_STATUS[candidate.status])
    return table

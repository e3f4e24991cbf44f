"""What the page shows, for a terminal: a conversation with where each argument of a write came from, and a task with its certificate."""

import json
import re
from collections import defaultdict
from collections.abc import Container, Iterator, Mapping, Sequence
from typing import Any

from rich.console import Group, RenderableType
from rich.padding import Padding
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from writ.report.index import title_of
from writ.report.page import words
from writ.report.reasons import call_of, leaves, standing
from writ.schema import Call, Candidate, Check, Decision, Message, Origin, Task, ToolCall, Verdict
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


def term(group: str, key: str) -> str:
    """What the page calls a term of the records."""
    known = words()[group].get(key)
    return str(known[0] if isinstance(known, list) else known or key.replace("_", " ").capitalize())


Facts = Mapping[str, Any]
"""Of a domain, as `writ.report.head.domain_facts` gives them."""


def readable(text: str, domain: Facts) -> str:
    """The names of rules and tools inside a sentence as people call them."""

    def called(found: re.Match[str]) -> str:
        name = found[1]
        clause = domain["rules"].get(name, "").rstrip(".")
        return f"the rule “{clause}”" if clause else f"“{name.replace('_', ' ').capitalize()}”" if name in domain["tools"] else found[0]

    return re.sub(r"'?\b([a-z]+(?:_[a-z0-9]+)+)\b'?", called, text)


def show_conversation(conversation: Conversation, verdict: Verdict, domain: Facts, *, full: bool = False) -> Iterator[RenderableType]:
    """The chat, its verdict in place, and its task. `full`: tool results whole."""
    trajectory, task, instruction = conversation
    writes: Sequence[str] = domain["writes"]
    yield Text(visible(title_of(task)), style="bold")
    yield Text(visible(instruction.reason_for_call), style="italic")
    yield Text(
        f"{trajectory.id} · {task.domain} · {term('kinds', task.kind)} · {len(task.writes)} changes, {task.burden} look-ups needed", style="dim"
    )
    yield _verdict_line(verdict)
    lit = _lit(verdict.origins)
    notes = _notes(verdict.checks, domain)
    for turn, message in enumerate(trajectory.messages):
        yield from _message(turn, message, conversation, verdict, writes, lit[turn], full)
        yield from (Padding(note, (0, 0, 0, 6)) for note in notes[turn])
    yield from notes[None]
    yield Text()
    yield from show_task(task, domain["rules"])


def _verdict_line(verdict: Verdict) -> Text:
    if verdict.kept:
        return Text("Kept: every check passed", style="bold green")
    name, meaning = words()["causes"].get(verdict.cause, [verdict.cause, ""])
    owner = term("owners", verdict.owner or "").lower()
    return Text.assemble((f"Lost: {name}. ", "bold red"), (f"{meaning[:1].upper()}{meaning[1:]}. Owner: {owner}.", "red"))


def _lit(origins: Sequence[Origin]) -> dict[int, list[str]]:
    """Turn -> the values that stand in it and justify a write."""
    lit: dict[int, list[str]] = defaultdict(list)
    for origin in origins:
        if origin.turn is not None:
            lit[origin.turn].append(str(origin.value))
    return lit


def _notes(checks: Sequence[Check], domain: Facts) -> dict[int | None, list[Text]]:
    """What failed, by the message at fault; under None what has no message."""
    notes: dict[int | None, list[Text]] = defaultdict(list)
    for check in checks:
        if check.result in ("fail", "unclear"):
            note = Text.assemble((f"✕ {term('causes', check.cause)}: ", "bold red"), (visible(readable(check.detail, domain)), "red"))
            if note not in notes[check.turn]:
                notes[check.turn].append(note)
    return notes


def _message(
    turn: int, message: Message, conversation: Conversation, verdict: Verdict, writes: Container[str], lit: Sequence[str], full: bool
) -> Iterator[RenderableType]:
    who, style = _WHO[message.role]
    if message.content or not message.tool_calls:
        content = visible(message.content or "")
        if message.role == "tool" and not full and len(content) > _PREVIEW_CHARACTERS:
            content = _around(content, lit)
        yield _highlighted(Text.assemble((f"{turn:>3}  ", "dim"), (f"{'Refused' if message.error else who}  ", style), content), lit)
    origins = [origin for origin in verdict.origins if origin.call == turn]
    for call in message.tool_calls:
        if call.name in writes:
            yield from _write(turn, call, origins, conversation)
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


def _write(turn: int, call: ToolCall, origins: list[Origin], conversation: Conversation) -> Iterator[RenderableType]:
    """A write: how it stands to the right answer, and where each argument came from. Takes the origins that it shows out of the list."""
    messages = conversation.trajectory.messages
    stands, table = standing(call, conversation.task, messages), Table.grid(padding=(0, 2))
    written = call_of(call)
    for path, value in leaves(written.arguments) if written else [("as written", call.arguments)]:
        origin = next((each for each in origins if each.argument == path and each.value == value), None)
        if origin is not None:
            origins.remove(origin)
        source = _source(origin, messages)
        if path in stands.wanted:
            source = Text.assemble((f"should be {visible(str(stands.wanted[path]))}; ", "bold red"), source)
        table.add_row(Text(visible(path), style="dim"), Text(visible(str(value)), style=LIT if origin else ""), source)
    yield Panel(table, title=f"{turn} Change {visible(call.name)}, {stands.word}", title_align="left", border_style="yellow", expand=False)
    mark, style = ("✓", "green") if stands.word == "as the right answer" else ("✕", "red")
    yield from (Padding(Text(f"{mark} {visible(line)}", style=style), (0, 0, 0, 6)) for line in stands.why)


def _source(origin: Origin | None, messages: Sequence[Message]) -> Text:
    if origin is None:
        return Text("")
    shown = _pointed_to(origin, messages)
    if shown is not None:
        return Text(f"the customer described it in message {origin.turn}; {_tool_at(messages, shown)} showed it in message {shown}", style="cyan")
    if origin.kind == "said":
        return Text(f"the customer said it in message {origin.turn}", style="cyan")
    if origin.kind == "shown":
        return Text(f"{_tool_at(messages, origin.turn or 0)} showed it in message {origin.turn} ({origin.path or 'the whole result'})", style="green")
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


def _tool_at(messages: Sequence[Message], turn: int) -> str:
    names = {call.id: call.name for message in messages[:turn] for call in message.tool_calls}
    return visible(names.get(messages[turn].tool_call_id or "", "a tool"))


def show_task(task: Task, rules: Mapping[str, str]) -> Iterator[RenderableType]:
    """The right answer of every wish, its candidates and its proof, and the mistakes that it invites. `rules`: the domain's clauses by id."""
    yield Text.assemble(("The right answer  ", "bold"), (task.id, "dim"))
    asks = task.asks or [f"{wish.kind} {json.dumps(wish.slots, ensure_ascii=False)}" for wish in task.wishes]
    for ask, decision in zip(asks, task.decisions, strict=True):
        yield Padding(Text(visible(ask), style="italic"), (0, 0, 0, 2))
        yield Padding(Group(*_decision(decision, rules)), (0, 0, 1, 4))
    if task.ordered:
        yield Text("  The order of the wishes matters: in another, the right answer is another.", style="dim")
    for mistake in dict.fromkeys(distractor.mistake for distractor in task.distractors):
        yield Text(f"  wrong: {visible(mistake)}", style="dim")


def _decision(decision: Decision, rules: Mapping[str, str]) -> Iterator[RenderableType]:
    subject = f": {decision.subject}" if decision.subject else ""
    yield Text(visible(f"{term('outcomes', decision.outcome)}{subject}"), style="bold")
    if decision.rule:
        yield Text(visible(f"Because of the rule: {rules.get(decision.rule) or decision.rule.replace('_', ' ')}"))
    yield from (Text(f"  {line(call)}", style="green") for call in decision.calls)
    yield from (Text(f"  must tell {told.name.replace('_', ' ')}: {visible(told.value)}") for told in decision.told)
    certificate = decision.certificate
    if certificate.candidates:
        yield _candidates(certificate.criterion, certificate.candidates, certificate.margin)
    more = f"; {certificate.relevant} bear on the question, so a careful agent may make them all" if certificate.relevant > certificate.burden else ""
    yield Text(f"The fewest look-ups that prove it: {certificate.burden}{more}", style="dim")
    yield from (Text(f"  {line(call)}", style="dim") for call in certificate.plan)


def _candidates(criterion: str, candidates: Sequence[Candidate], margin: float | None) -> Table:
    by, _, unit = criterion.partition(", in ")
    ahead = f", ahead by {margin:g} {unit}".rstrip() if margin is not None else ""
    table = Table(title=f"by {by}{ahead}" if by else "what was looked at", title_justify="left", title_style="dim")
    names = list(dict.fromkeys(name for candidate in candidates for name in candidate.values))
    for heading in ("", *names, "why"):
        table.add_column(heading.replace("_", " "))
    order = list(_STATUS)
    for candidate in sorted(candidates, key=lambda each: order.index(each.status)):
        values = (visible(str(candidate.values.get(name, ""))) for name in names)
        status = "Fits" if candidate.status == "winner" and margin is None else term("statuses", candidate.status)
        why = f"{status}{f': {candidate.why}' if candidate.why else ''}"
        table.add_row(*(Text(cell) for cell in (visible(candidate.label), *values, visible(why))), style=_STATUS[candidate.status])
    return table


def line(call: Call) -> str:
    """`name(key value, …)`."""
    arguments: Mapping[str, Any] = call.arguments
    return visible(f"{call.name}({', '.join(f'{key} {value}' for key, value in arguments.items())})")

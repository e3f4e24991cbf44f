"""Checks of the outcome: did the conversation end properly, in the right state, with everything said and nothing too much?"""

import re
from collections import Counter

from writ.domains.base import run
from writ.domains.certificates import unrefuted
from writ.domains.speech import declines
from writ.errors import ToolRefused
from writ.schema import Check, Decision, Told
from writ.verification.case import Case, failed, not_applicable, passed
from writ.verification.transcript import Made
from writ.verification.values import states

TRANSFER = "transfer_to_human_agents"

_ENDS = {
    "infrastructure": "infrastructure",
    "budget": "budget",
    "out_of_scope": "out_of_scope",
    "user_error": "user_error",
    "agent_error": "agent_error",
    "max_steps": "too_long",
    "max_errors": "too_many_errors",
}


def termination(case: Case) -> Check:
    """The conversation came to its own end."""
    cause = _ENDS.get(case.trajectory.termination)
    detail = case.trajectory.detail
    return failed("termination", cause, detail) if cause else passed("termination", case.trajectory.termination)


def transcript(case: Case) -> Check:
    """Calls and results pair up, and every recorded result is what the environment gives."""
    if case.transcript.shared:
        return not_applicable("transcript", "the user called tools of their own, which are not run here")
    if case.transcript.torn:
        return failed("transcript", "torn_transcript", case.transcript.torn)
    for made in case.transcript.made:
        if made.same is False:
            return failed("transcript", "tool_mismatch", f"{made.name} answers otherwise when it is run again", made.index)
    return passed("transcript")


def calls(case: Case) -> Check:
    """Every call names a tool and carries a JSON object."""
    for made in case.transcript.made:
        if not made.known:
            return failed("calls", "unknown_tool", f"'{made.name}' is no tool of {case.site.name}", made.index)
        if made.call is None:
            return failed("calls", "malformed_arguments", f"arguments of {made.name} are not a JSON object", made.index)
    return passed("calls")


def end_state(case: Case) -> Check:
    """The end state equals the gold's, by whatever path; where it does not, the first difference of the writes names the cause."""
    if case.task is None:
        return not_applicable("end_state", "no task says what should be")
    if case.transcript.shared:
        return not_applicable("end_state", "what the user's own tools changed is unknown")
    if case.as_gold:
        return passed("end_state")
    if case.certified and case.gold.refused:
        return failed("end_state", "task_broken", f"the gold {case.gold.refused[0]} is refused; certify the task anew")
    cause, detail, turn = _difference(case)
    return failed("end_state", cause, detail, turn)


def _difference(case: Case) -> tuple[str, str, int | None]:
    done = case.transcript.done
    due = Counter(call.key for call in case.due)
    surplus = [made for made in done if made.call and not due[made.call.key]]
    missing = [call for call in case.due if call.key not in {made.call.key for made in done if made.call}]
    for made in surplus:
        if any(call.name == made.name for call in missing):
            return "wrong_argument", f"{made.name} was called with other arguments than are due", made.index
    if missing:
        return "missing_write", f"{missing[0].name} is due and was not made", None
    if surplus:
        return "extra_write", f"{surplus[0].name} was made and is not due", surplus[0].index
    return "wrong_end_state", "the due writes were made in another order or more than once", None


def writes(case: Case) -> Check:
    """No write beyond the gold ones, no due one twice, no forbidden one even attempted."""
    if case.task is None:
        return not_applicable("writes", "no task says what is due")
    if case.transcript.shared:
        return not_applicable("writes", "what the user's own tools changed is unknown")
    due = {call.key for call in case.due}
    seen: set[str] = set()
    for made in case.transcript.writes:
        key = made.call.key if made.call else ""
        if key in seen and not made.refused:
            return failed("writes", "repeated_write", f"{made.name} was made twice", made.index)
        if key not in due and case.as_gold and not made.refused:
            continue  # another path to the same end state
        if key not in due and (forbidding := _forbidding(case, made)) is not None:
            return failed("writes", "forbidden_write", f"{made.name} was attempted although '{forbidding}' forbids it", made.index)
        if key not in due and not made.refused:
            return failed("writes", "extra_write", f"{made.name} was made and is not due", made.index)
        seen.add(key)
    return passed("writes")


def _forbidding(case: Case, made: Made) -> str | None:
    """The rule of a declined decision whose subject an attempted write touches; any write in a task that declines all."""
    declined = [decision for decision in case.decisions if decision.outcome != "act"]
    text = made.call.key.lower() if made.call else ""
    for decision in declined:
        if not any(decision.calls for decision in case.decisions) or any(mention.lower() in text for mention in decision.mentions):
            return decision.rule
    return None


def told(case: Case) -> Check:
    """Every value that the user asks for was said, compared as a value."""
    wanted = [value for decision in case.decisions for value in decision.told]
    if not wanted:
        return not_applicable("told", "nothing was asked for")
    text = case.transcript.agent_text()
    missing = [value for value in wanted if not _is_told(value, text)]
    if missing:
        return failed("told", "missing_fact", f"{missing[0].name} ({missing[0].value}) was not said")
    return passed("told", f"{len(wanted)} values")


def _is_told(value: Told, text: str) -> bool:
    return states(text, value.form, value.value)


def refusals(case: Case) -> Check:
    """A wish that cannot be granted is declined by name after the reads that show why; a human is called exactly when gold says so."""
    if case.task is None:
        return not_applicable("refusals", "no task says what is to be declined")
    handed_over = any(made.name == TRANSFER for made in case.transcript.made)
    due = any(decision.outcome == "transfer" or any(call.name == TRANSFER for call in decision.calls) for decision in case.decisions)
    if handed_over and not due:
        return failed("refusals", "needless_transfer", "transferred although the agent had to settle it")
    if due and not handed_over:
        return failed("refusals", "missing_transfer", "gold hands over to a human agent")
    for decision in case.decisions:
        if decision.outcome == "deny" and not _declined(case, decision):
            return failed("refusals", "not_declined", f"no turn after the needed reads names {decision.subject} and declines")
    declined = sum(decision.outcome != "act" for decision in case.decisions)
    return passed("refusals", f"{declined} declined") if declined else not_applicable("refusals", "every wish is granted")


def _declined(case: Case, decision: Decision) -> bool:
    """Some agent turn after the last needed read names the subject and says that it cannot be done."""
    after = _evidence_complete(case, decision)
    if after is None:
        return False
    turns = [text for index, text in case.transcript.said_by_agent if index > after]
    return any(declines(text) and _names(text, decision.mentions) for text in turns)


def _evidence_complete(case: Case, decision: Decision) -> int | None:
    """Index of the read with which the evidence for a decision is complete; -1 where none is needed, None where it never is."""
    if not unrefuted(decision.certificate, ()):
        return -1
    reads = [(made.index, made.call) for made in case.transcript.made if made.call and not made.writes]
    for number in range(1, len(reads) + 1):
        if not unrefuted(decision.certificate, [call for _, call in reads[:number]]):
            return reads[number - 1][0]
    return None


def _names(text: str, mentions: tuple[str, ...]) -> bool:
    lowered = re.sub(r"\s+", " ", text.lower())
    return not mentions or any(mention.lower() in lowered for mention in mentions)


def identified(case: Case) -> Check:
    """Before the first write, the agent looked up who the user is, where the domain has such a look-up."""
    first = next((made.index for made in case.transcript.writes), None)
    if first is None or case.instruction is None:
        return not_applicable("identified", "no write, or no script that says who the user is")
    facts = {fact.name: fact.value for fact in case.instruction.identity}
    try:
        user_id, reads = run(case.site.domain.identify(facts), case.site.environment().read)
    except ToolRefused:
        return not_applicable("identified", "the script's identity matches nobody")
    if not reads:
        return not_applicable("identified", "the domain takes the user's word for their id")
    keys = {read.key for read in reads}
    shown = case.transcript.shown_before(first)
    found = any(call.key in keys or (value == user_id and case.site.domain.free(call)) for call, value in shown)
    return passed("identified") if found else failed("identified", "unidentified", f"{user_id} was not looked up before the first write", first)

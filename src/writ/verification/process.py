"""Checks of the process: was each write allowed, confirmed, grounded, and decided on sufficient evidence?"""

from writ.domains.certificates import unrefuted
from writ.domains.speech import Knows, assents, dissents, leaked, mentioned, proposes
from writ.schema import Check
from writ.verification.case import Case, failed, not_applicable, passed
from writ.verification.transcript import Made
from writ.verification.values import occurs


def turns(case: Case) -> Check:
    """One thing per turn: text or one tool call."""
    if case.transcript.crowded:
        return failed("turns", "crowded_turn", "several calls, or text beside a call", case.transcript.crowded[0])
    return passed("turns")


def policy(case: Case) -> Check:
    """Every write that was made was allowed at its moment, given what the user had stated."""
    if not case.transcript.writes:
        return not_applicable("policy", "no write")
    for made in case.transcript.done:
        if made.objection:
            return failed("policy", "forbidden_write", f"{made.name} {made.objection}", made.index)
    return passed("policy")


def confirmation(case: Case) -> Check:
    """Before each write, the agent's last turn states every argument, and the user's next turn says yes and changes nothing."""
    done = case.transcript.done
    if not done:
        return not_applicable("confirmation", "no write")
    unclear: Check | None = None
    for made in done:
        check = _confirmed(case, made)
        if check is not None and check.result == "fail":
            return check
        unclear = unclear or check
    return unclear or passed("confirmation")


def _confirmed(case: Case, made: Made) -> Check | None:
    answer = max(((index, text) for index, text in case.transcript.said_by_user if index < made.index), default=None)
    asked = max(((index, text) for index, text in case.transcript.said_by_agent if answer and index < answer[0]), default=None)
    if answer is None or asked is None or made.call is None:
        return failed("confirmation", "unconfirmed_write", f"{made.name} before anybody agreed to it", made.index)
    unstated = unstated_arguments(case, made, asked[1])
    if unstated:
        return failed("confirmation", "unconfirmed_write", f"the turn before the yes does not state {unstated[0]} of {made.name}", made.index)
    if assents(answer[1]):
        return None
    if dissents(answer[1]):
        return failed("confirmation", "unconfirmed_write", f"the user did not agree to {made.name}", made.index)
    return failed("confirmation", "unclear_confirmation", f"neither yes nor no to {made.name}", answer[0], result="unclear")


def unstated_arguments(case: Case, made: Made, text: str) -> list[str]:
    """Argument leaves of a write that no surface form in the text states."""
    if made.call is None:
        return []
    lowered = text.lower()
    return [path for path, forms in case.forms(made).items() if forms and not any(occurs(form, lowered) for form in forms)]


def coverage(case: Case) -> Check:
    """The reads before each decision refute every rival: a right write by luck is not kept."""
    if case.task is None or not case.certified:
        return not_applicable("coverage", "no certificate says what must be read")
    for decision, landing in zip(case.decisions, case.landings, strict=True):
        if decision.calls and landing is None:
            continue  # `end_state` has it
        before = landing if landing is not None else len(case.trajectory.messages)
        left = unrefuted(decision.certificate, case.transcript.reads_before(before))
        if left:
            then = decision.calls[0].name if decision.calls else f"declining {decision.subject}"
            reads = " or ".join(f"{read.name} of {', '.join(map(str, read.arguments.values()))}" for read in left[0].refuters)
            detail = f"the agent did not look up {reads} before {then}, so it could not know whether {left[0].claim}"
            return failed("coverage", "missing_read", detail, landing)
    return passed("coverage")


def user_words(case: Case) -> Check:
    """The simulated user stated only what the script gives or the agent had said, and leaked no id that a reference hides."""
    if case.instruction is None:
        return not_applicable("user_words", "no script says what the user knows")
    knows = Knows(case.instruction)
    for index, text in case.transcript.said_by_user:
        if case.instruction.hidden and (leaks := leaked(text, case.instruction.hidden, lambda each: _heard(case, index, each))):  # noqa: B023 - asked at once
            return failed("user_words", "user_leaked", f"the user said {leaks[0]}", index)
        if invented := knows.strange(text):
            invented -= mentioned("\n".join(said for at, said in case.transcript.said_by_agent if at < index))
        if invented:
            return failed("user_words", "user_invented", f"the user said {min(invented)}", index)
    return passed("user_words")


def _heard(case: Case, index: int, identifier: str) -> bool:
    """Whether the agent had said it before the message."""
    return any(identifier.lower() in said.lower() for at, said in case.transcript.said_by_agent if at < index)


def user_end(case: Case) -> Check:
    """The user ended only after voicing every wish, and not while the agent waited for a yes."""
    if case.instruction is None or case.trajectory.termination not in ("user_stop", "transfer"):
        return not_applicable("user_end", "the user did not end it, or no script says what they want")
    text = case.transcript.user_text().lower()
    if case.trajectory.termination == "user_stop" or len(case.instruction.wishes) == 1:
        for wish, facts in zip(case.instruction.wishes, case.instruction.facts, strict=True):
            silent = [fact for fact in facts if fact.core and not occurs(fact.text.lower(), text)]
            if silent and case.trajectory.source == "scripted":
                return failed("user_end", "wish_not_voiced", f"{wish.kind}: '{silent[0].text}' was never said", len(case.trajectory.messages) - 1)
    pending = _pending(case)
    if pending is not None:
        return failed("user_end", "premature_stop", "the user ended while the agent waited for an answer", pending)
    return passed("user_end")


def _pending(case: Case) -> int | None:
    """Index of the user's last turn, where due writes are missing and the agent had just asked for a yes or been given it."""
    if case.task is None or not case.transcript.said_by_user or case.as_gold:
        return None
    last = case.transcript.said_by_user[-1][0]
    if last < max((index for index, _ in case.transcript.said_by_agent), default=-1):
        return None
    asked = max(((index, text) for index, text in case.transcript.said_by_agent if index < last), default=None)
    return last if asked is not None and proposes(asked[1]) else None

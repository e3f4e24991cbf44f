"""Certificates: a wish becomes a decision with the proof that it is the only right one, or a reason why it cannot.

Tasks make certificates, verification asks them whether the reads of a conversation were enough; both use this file.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from writ.domains.base import Domain, Outcome
from writ.domains.environment import Environment
from writ.domains.evidence import TooHard, Unreachable, smallest_plan
from writ.schema import Call, Candidate, Certificate, Decision, Rival, Wish


@dataclass(frozen=True, slots=True)
class Uncertified:
    """Why a wish makes no task."""

    reason: str


def certify(domain: Domain, wish: Wish, user_id: str, world: Environment, *, min_margin: float = 0.0) -> Decision | Uncertified:
    """Decides a wish in the state of `world`, and proves it. `min_margin`: refused unless the winner wins by more (criterion's unit)."""
    outcome, reads, told_apart = domain.kinds[wish.kind].prove(wish, user_id, world)
    if outcome.margin is not None and outcome.margin <= min_margin:
        return Uncertified(f"the winner wins by {outcome.margin:g} only")
    rivals = tuple(told_apart)
    try:
        plan = smallest_plan((_costly(domain, rival) for rival in rivals), lambda read: _needs(domain, read, wish, user_id, world))
    except Unreachable:
        return Uncertified("a rival has no read that would show it")
    except TooHard:
        return Uncertified("the smallest evidence set was not found within the search bound")
    scope = {read.key for read in (*reads, *plan) if not domain.free(read)}
    return _decision(outcome, rivals, plan, relevant=len(scope))


def _costly(domain: Domain, rival: Rival) -> tuple[Call, ...]:
    return tuple(read for read in rival.refuters if not domain.free(read))


def _needs(domain: Domain, read: Call, wish: Wish, user_id: str, world: Environment) -> list[list[Call]]:
    """Clauses of a read; an argument that a free read gives needs nothing."""
    clauses = [list(options) for options in domain.needs(read, wish, user_id, world)]
    return [options for options in clauses if not any(domain.free(option) for option in options)]


def _decision(outcome: Outcome, rivals: tuple[Rival, ...], plan: tuple[Call, ...], relevant: int) -> Decision:
    certificate = Certificate(
        criterion=outcome.criterion,
        candidates=_reasoned(outcome),
        margin=outcome.margin,
        rivals=rivals,
        plan=plan,
        burden=len(plan),
        relevant=relevant,
    )
    return Decision(
        outcome=outcome.kind,
        rule=outcome.rule,
        subject=outcome.subject,
        mentions=outcome.mentions,
        calls=outcome.calls,
        told=outcome.told,
        certificate=certificate,
    )


def _reasoned(outcome: Outcome) -> tuple[Candidate, ...]:
    """The candidates, with a reason for each winner that has none."""
    return tuple(
        candidate.model_copy(update={"why": _why(candidate, outcome)}) if candidate.status == "winner" and not candidate.why else candidate
        for candidate in outcome.candidates
    )


def _why(winner: Candidate, outcome: Outcome) -> str:
    rest = [candidate.status for candidate in outcome.candidates if candidate.choice == winner.choice]
    if outcome.margin is not None and "runner_up" in rest:
        return f"has the {outcome.criterion.partition(', in ')[0]}"
    winners = rest.count("winner")
    return "the only one that fits" if winners == 1 else f"one of {winners} that fit"


def outcome_of(decision: Decision) -> Outcome:
    """The decision without its proof."""
    return Outcome(
        calls=decision.calls,
        rule=decision.rule,
        transfer=decision.outcome == "transfer",
        subject=decision.subject,
        mentions=decision.mentions,
        told=decision.told,
        criterion=decision.certificate.criterion,
        candidates=decision.certificate.candidates,
        margin=decision.certificate.margin,
    )


def unrefuted(certificate: Certificate, reads: Iterable[Call]) -> tuple[Rival, ...]:
    """Rivals that none of these reads would have shown: what an agent that made only these reads cannot know."""
    made = {read.key for read in reads}
    return tuple(rival for rival in certificate.rivals if not any(read.key in made for read in rival.refuters))

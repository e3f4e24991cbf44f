"""The scenario of an instruction as a language model that plays the user is told it, in the fields of the benchmark's scenarios."""

from collections.abc import Iterator, Sequence
from importlib import resources
from random import Random
from typing import NamedTuple

from writ.domains.base import Domain
from writ.domains.wording import phrasebook, spin
from writ.schema import Behavior, Fact, Wish

PHRASES = phrasebook(resources.files("writ.instructions").joinpath("phrases.txt").read_text())


class Scenario(NamedTuple):
    """Text fields of an instruction."""

    persona: str
    reason_for_call: str
    known_info: str
    unknown_info: str
    task_instructions: str


def scenario(
    domain: Domain,
    wishes: Sequence[Wish],
    identity: Sequence[Fact],
    unknown: Sequence[str],
    behavior: Behavior,
    wrong: Fact | None,
    unavailable: str,
    rng: Random,
) -> Scenario:
    """Renders a telling with templates; `wrong` is the fact that is first said wrong, `unavailable` the wish that cannot be had."""
    return Scenario(
        persona=" ".join(f"{_say(name, rng)}." for name in (f"tone_{behavior.tone}", f"verbosity_{behavior.verbosity}")),
        reason_for_call=_reasons(domain, wishes),
        known_info=" ".join(f"Your {_words(fact.name)} is {fact.text}." for fact in identity),
        unknown_info=f"{_say('unknown', rng, unknown=' or '.join(unknown))}." if unknown else "",
        task_instructions=" ".join(f"{text}." for text in _manners(behavior, len(wishes), wrong, unavailable, rng)),
    )


def _reasons(domain: Domain, wishes: Sequence[Wish]) -> str:
    scripts = [domain.kinds[wish.kind].script(wish).strip() for wish in wishes]
    return scripts[0] if len(scripts) == 1 else "\n".join(f"{number}. {script}" for number, script in enumerate(scripts, 1))


def _manners(behavior: Behavior, wishes: int, wrong: Fact | None, unavailable: str, rng: Random) -> Iterator[str]:
    yield _say(f"pace_{behavior.pace}", rng)
    if wishes > 1:
        yield _say("all_in_order" if behavior.pace == "all_at_once" else "one_by_one", rng)
    if unavailable:
        yield _say("fallback", rng, wish=unavailable)
    if wrong:
        yield _say("correction", rng, name=_words(wrong.name), wrong=wrong.wrong, text=wrong.text)
    if behavior.digression:
        yield _say("digression", rng)
    if behavior.pressure:
        yield _say("pressure", rng)
    yield _say("confirm", rng)
    yield _say("finish", rng)


def _say(phrase: str, rng: Random, **slots: str) -> str:
    return spin(rng, rng.choice(PHRASES[phrase]), slots)


def _words(name: str) -> str:
    return name.replace("_", " ")

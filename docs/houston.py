"""The worked example of ideas.md, computed: one booking told twice, over the generated airline database. `python docs/houston.py` prints it."""

import textwrap
from collections.abc import Iterator, Mapping, Sequence
from random import Random

from writ.domains.base import run
from writ.domains.certificates import Uncertified, certify
from writ.domains.registry import OpenDomain, open_domain
from writ.domains.sources import snapshots
from writ.errors import ArtifactError
from writ.schema import Call, Candidate, Decision, Wish
from writ.settings import DomainsConfig

USER = "olaf_olmsted_9397"
REST = {"cabin": "economy", "passengers": [{"self": True}], "payments": [{"card": "visa 5345"}], "bags": 0, "insurance": "no", "ask": []}
LOW = {"from": ["EWR"], "to": ["IAH"], "dates": ["2024-05-26"], "stops": "direct", "departs": "12:00:00"}
HIGH = {"from": ["EWR", "LGA"], "to": ["IAH"], "dates": ["2024-05-25", "2024-05-26"], "stops": "any", "by": ["cheapest"]}
SHOWN = 3
"""Candidates that are printed of each status; the rest are counted."""


def parts() -> dict[str, str]:
    """The blocks of ideas.md by name."""
    site = open_domain(next(snapshots(DomainsConfig(names=("airline",)), seed=7, content="")))
    low, high = (_decided(site, leg) for leg in (LOW, HIGH))
    if low.calls != high.calls:
        raise ArtifactError("the two tellings of docs/houston.py book different flights; choose another date for LOW")
    return {
        "tellings": "\n".join((*_telling(site, LOW, low), "", *_telling(site, HIGH, high))),
        "write": "\n".join(_write(high.calls[0])),
        "plans": "\n".join((*_plan("narrow", low), "", *_plan("wide", high))),
        "rivals": "\n".join(f"{rival.claim}\n    refuted by {_call(rival.refuters[0])}" for rival in high.certificate.rivals),
        "candidates": "\n".join(_candidates(high)),
        "mistakes": "\n".join(_mistakes(site, high)),
    }


def _wish(leg: Mapping[str, object]) -> Wish:
    return Wish(kind="book_flight", slots={"legs": [dict(leg)], **REST})


def _decided(site: OpenDomain, leg: Mapping[str, object]) -> Decision:
    decision = certify(site.domain, _wish(leg), USER, site.environment())
    if isinstance(decision, Uncertified):
        raise ArtifactError(f"the example of docs/houston.py does not certify ({decision.reason}); choose another date")
    return decision


def _telling(site: OpenDomain, leg: Mapping[str, object], decision: Decision) -> Iterator[str]:
    words = site.domain.kinds["book_flight"].request(_wish(leg), Random(0))
    yield textwrap.fill(f'"{words}"', width=92)
    yield f"    evidence burden {decision.certificate.burden}, relevant reads {decision.certificate.relevant}"


def _call(call: Call) -> str:
    return f"{call.name}({', '.join(str(value) for value in call.arguments.values())})"


def _write(call: Call) -> Iterator[str]:
    yield call.name
    for name, value in call.arguments.items():
        yield f"    {name:<18} {value}"


def _plan(name: str, decision: Decision) -> Iterator[str]:
    yield f"{name}: {decision.certificate.burden} reads"
    for number, read in enumerate(decision.certificate.plan, start=1):
        yield f"    {number}. {_call(read)}"


def _candidates(decision: Decision) -> Iterator[str]:
    certificate = decision.certificate
    yield f"criterion: {certificate.criterion}; margin to the runner-up: {certificate.margin:g}"
    for status in ("winner", "runner_up", "eligible", "excluded"):
        yield from _rows([candidate for candidate in certificate.candidates if candidate.status == status], status)


def _rows(candidates: Sequence[Candidate], status: str) -> Iterator[str]:
    for candidate in candidates[:SHOWN]:
        price, seats = (candidate.values[name] for name in ("price", "seats"))
        yield f"{status:<10} {candidate.label:<45} ${price:<4} {seats:>2} seats" + (f"  {candidate.why}" if status == "excluded" else "")
    if len(candidates) > SHOWN:
        yield f"{status:<10} and {len(candidates) - SHOWN} more"


def _mistakes(site: OpenDomain, decision: Decision) -> Iterator[str]:
    kind, world = site.domain.kinds["book_flight"], site.environment()
    outcome, _ = run(kind.resolve(_wish(HIGH), USER), world.read)
    for distractor in kind.distractors(_wish(HIGH), USER, world, outcome):
        changed = [name for name, value in distractor.calls[0].arguments.items() if value != decision.calls[0].arguments[name]]
        yield f"{distractor.mistake}: books another {', '.join(changed)}"


if __name__ == "__main__":
    for _name, _text in parts().items():
        print(f"--- {_name}\n{_text}\n")

"""Is a domain sound? Tries every claim that tasks and verification rely on, over users of its database."""

from collections.abc import Iterator
from dataclasses import dataclass
from random import Random

from writ.domains.base import run
from writ.domains.certificates import certify, unrefuted
from writ.domains.environment import Environment
from writ.domains.registry import OpenDomain
from writ.schema import Call, Decision, Wish

USERS = 40
PROPOSALS = 6


@dataclass(frozen=True, slots=True)
class Finding:
    """One claim, and whether it held wherever it was tried."""

    claim: str
    sound: bool
    detail: str = ""


def findings(site: OpenDomain) -> Iterator[Finding]:
    """Every claim with its verdict. Deterministic."""
    yield _schemas(site)
    sampled = list(_sampled(site))
    yield from _kinds(site, sampled)
    yield _writes_write(site, sampled)
    yield _reads_do_not(site, sampled)
    yield _refusals_leave_no_trace(site)
    yield _plans_suffice(site, sampled)
    yield _words_hide_ids(site, sampled)
    yield _rules_known(site, sampled)


Sample = tuple[str, Wish, Decision]


def _sampled(site: OpenDomain) -> Iterator[Sample]:
    """Certified wishes of users spread over the database."""
    persons = list(site.domain.persons(site.database))
    for user_id in persons[:: max(1, len(persons) // USERS)][:USERS]:
        world = site.environment()
        for name, kind in sorted(site.domain.kinds.items()):
            for _, wish in zip(range(PROPOSALS), kind.propose(world, user_id, Random(f"{user_id}:{name}")), strict=False):
                decision = certify(site.domain, wish, user_id, world)
                if isinstance(decision, Decision):
                    yield user_id, wish, decision


def _schemas(site: OpenDomain) -> Finding:
    bare = []
    for tool in site.snapshot.tools:
        function = tool["function"]
        properties = function["parameters"].get("properties", {})
        if not function.get("description") or any(
            "type" not in entry and "$ref" not in entry and "anyOf" not in entry for entry in properties.values()
        ):
            bare.append(function["name"])
    return Finding("every tool has a description and typed arguments", not bare, ", ".join(bare))


def _kinds(site: OpenDomain, sampled: list[Sample]) -> Iterator[Finding]:
    seen = {wish.kind for _, wish, _ in sampled}
    silent = sorted(set(site.domain.kinds) - seen)
    yield Finding("every kind of wish certifies for some user", not silent, ", ".join(silent))
    written = {call.name for _, _, decision in sampled for call in decision.calls}
    writes = {name for name, tool in site.domain.toolkit.tools.items() if tool.kind == "write"}
    yield Finding("every write tool is some decision's", not writes - written, ", ".join(sorted(writes - written)))


def _writes_write(site: OpenDomain, sampled: list[Sample]) -> Finding:
    idle = set()
    for _, _, decision in sampled:
        world = site.environment()
        for call in decision.calls:
            before = world.fingerprint()
            if not world.writes(call.name) or world.call(call.name, call.arguments).error or world.fingerprint() == before:
                idle.add(call.name)
    return Finding("every gold write runs and changes the state", not idle, ", ".join(sorted(idle)))


def _reads_do_not(site: OpenDomain, sampled: list[Sample]) -> Finding:
    world, made = site.environment(), set()
    for user_id, wish, _ in sampled:
        _, reads = run(site.domain.kinds[wish.kind].resolve(wish, user_id), world.read)
        made |= {read.name for read in reads if world.writes(read.name)}
    return Finding("resolvers use read tools alone, and no read changes the state", not made and not world.delta(), ", ".join(sorted(made)))


def _refusals_leave_no_trace(site: OpenDomain) -> Finding:
    world = site.environment()
    for name, tool in site.domain.toolkit.tools.items():
        if tool.kind == "write":
            world.call(name, dict.fromkeys(tool.parameters, "no such thing"))
            world.call(name, {})
    changed = ", ".join(world.delta())
    return Finding("refused writes leave no trace", not world.delta(), changed)


def _plans_suffice(site: OpenDomain, sampled: list[Sample]) -> Finding:
    for user_id, wish, decision in sampled:
        world = site.environment()
        if unrefuted(decision.certificate, decision.certificate.plan) or not _runs(world, decision.certificate.plan):
            return Finding("every plan refutes every rival and can be read", False, f"{wish.kind} of {user_id}")
    return Finding("every plan refutes every rival and can be read", True, f"{len(sampled)} certificates")


def _runs(world: Environment, reads: tuple[Call, ...]) -> bool:
    return not any(world.call(read.name, read.arguments).error for read in reads)


def _words_hide_ids(site: OpenDomain, sampled: list[Sample]) -> Finding:
    """The request holds the text of every core fact."""
    for user_id, wish, _ in sampled:
        kind = site.domain.kinds[wish.kind]
        text = kind.request(wish, Random(0)).lower()
        for fact in kind.facts(wish):
            if fact.core and fact.text.lower() not in text:
                return Finding("requests hold every core fact", False, f"{wish.kind} of {user_id} lacks '{fact.text}'")
    return Finding("requests hold every core fact", True)


def _rules_known(site: OpenDomain, sampled: list[Sample]) -> Finding:
    unknown = {decision.rule for _, _, decision in sampled if decision.rule} - set(site.domain.rules)
    return Finding("every refusal names a rule of the policy", not unknown, ", ".join(sorted(unknown)))

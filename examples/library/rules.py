"""The policy where it decides: each rule names a clause of policy.md."""

from writ.domains.base import ALLOWED, Reads, Rule, Ruling
from writ.schema import Call

MAX_RENEWALS = 2
MAX_HOLDS = 4

RULES = {
    rule.id: rule
    for rule in (
        Rule("blocked", "a blocked card can neither renew loans nor place holds, so a librarian has to look at it", transfer=True),
        Rule("renewal_limit", "a loan can be renewed at most twice"),
        Rule("reserved", "a loan cannot be renewed while someone else is waiting for it"),
        Rule("hold_limit", "a member may have at most four holds at a time"),
        Rule("reference_only", "editions that are not lent out cannot be put on hold"),
        Rule("ready", "the pickup place cannot be changed any more once a hold is ready on the shelf"),
        Rule("not_found", "nothing here matches what was described, so there is nothing that could be changed"),
        Rule("ambiguous", "more than one thing matches what was described, so I cannot tell which one is meant"),
    )
}


def denied(rule: str) -> Ruling:
    return Ruling(False, rule, RULES[rule].transfer)


def permits(write: Call) -> Reads[Ruling]:
    """Whether the policy allows a write now."""
    if write.name == "renew_loan":
        return (yield from _renewal(write))
    if write.name == "place_hold":
        return (yield from _hold(write))
    if write.name == "change_pickup":
        hold = yield Call(name="get_hold", arguments={"hold_id": write.arguments["hold_id"]})
        return denied("ready") if hold["status"] == "ready" else ALLOWED
    return ALLOWED


def _renewal(write: Call) -> Reads[Ruling]:
    loan = yield Call(name="get_loan", arguments=dict(write.arguments))
    member = yield Call(name="get_member", arguments={"member_id": loan["member_id"]})
    if member["status"] == "blocked":
        return denied("blocked")
    if loan["renewals"] >= MAX_RENEWALS:
        return denied("renewal_limit")
    edition = yield Call(name="get_edition", arguments={"edition_id": loan["edition_id"]})
    return denied("reserved") if edition["waiting"] else ALLOWED


def _hold(write: Call) -> Reads[Ruling]:
    member = yield Call(name="get_member", arguments={"member_id": write.arguments["member_id"]})
    if member["status"] == "blocked":
        return denied("blocked")
    if len(member["holds"]) >= MAX_HOLDS:
        return denied("hold_limit")
    edition = yield Call(name="get_edition", arguments={"edition_id": write.arguments["edition_id"]})
    return ALLOWED if edition["lendable"] else denied("reference_only")

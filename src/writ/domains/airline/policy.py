"""The airline's policy where it decides: its clauses, and whether a write is allowed. The words are in policy.md."""

from collections.abc import Mapping, Sequence
from importlib.resources import files
from typing import Any

from writ.domains.airline import queries
from writ.domains.airline.clock import DAY_AGO, TODAY
from writ.domains.airline.payments import SOURCES, free_bags
from writ.domains.airline.trips import CABINS, find_trip, is_live, own_trips
from writ.domains.base import ALLOWED, Reads, Rule, Ruling, Said
from writ.errors import ToolRefused
from writ.schema import Call

Record = dict[str, Any]

POLICY = files("writ.domains.airline").joinpath("policy.md").read_text(encoding="utf-8")

_CLAUSES: Mapping[str, str] = {
    "ambiguous": "Several of your records fit that description, so it must be clear which one is meant.",
    "not_found": "None of your records fits that description.",
    "not_owner": "Only your own reservations can be shown or changed.",
    "too_many_passengers": "A reservation holds at most five passengers.",
    "payment_limits": "A booking takes at most one travel certificate, one credit card and three gift cards.",
    "payment_not_in_profile": "Every payment method must already stand in your profile.",
    "payment_short": "The chosen payment methods must cover the whole amount.",
    "mixed_cabin": "All flights of a reservation are in the same cabin.",
    "unavailable": "Only flights that are available, with enough seats in the cabin, can be booked.",
    "basic_economy": "The flights of a basic economy reservation cannot be changed.",
    "route_change": "Origin and destination of a reservation cannot be changed.",
    "trip_type_change": "A one-way trip cannot become a round trip, nor the other way round.",
    "flown_cabin": "The cabin cannot be changed once a flight of the reservation has been flown.",
    "single_segment_cabin": "The cabin can only be changed for all flights of a reservation together.",
    "certificate_for_change": "Changes are paid or refunded with one gift card or one credit card, not with a travel certificate.",
    "bags_removed": "Checked bags can be added but not removed.",
    "bag_count": "Bags beyond the free allowance, and only those, are paid for.",
    "insurance_later": "Travel insurance cannot be added after the booking.",
    "passenger_count": "The number of passengers of a reservation cannot be changed.",
    "already_cancelled": "The reservation is cancelled already.",
    "cancel_not_covered": "This reservation does not meet any of the conditions for a cancellation.",
    "compensation_ineligible": "Regular members without insurance get no compensation for (basic) economy trips.",
    "compensation_unfounded": "The complaint must be confirmed by the flight's status before there is compensation.",
    "delay_without_change": "For a delay there is compensation only once the reservation was changed or cancelled.",
    "compensation_reason": "There is compensation for cancelled or delayed flights only.",
    "compensation_amount": "A certificate is worth 100 dollars per passenger for a cancelled flight, and 50 for a delayed one.",
}

_TRANSFERS: Mapping[str, str] = {
    "flown": "A trip of which any part has been flown cannot be cancelled here; a human agent takes over.",
    "out_of_scope": "What these tools and this policy do not cover goes to a human agent.",
}

RULES: Mapping[str, Rule] = {
    **{rule: Rule(rule, clause) for rule, clause in _CLAUSES.items()},
    **{rule: Rule(rule, clause, transfer=True) for rule, clause in _TRANSFERS.items()},
}

COVERED_REASONS = ("health", "weather")
GONE = ("landed", "flying")


def denied(rule: str) -> Ruling:
    return Ruling(False, rule, RULES[rule].transfer)


def permits(write: Call, said: Said) -> Reads[Ruling]:
    """Whether the policy allows this write now. Looks at nothing that the tool itself refuses, save what costs no read.

    `said` may hold `user_id`, `reason` (of a cancellation) and `trip` (of a compensation).
    """
    judge = _JUDGES.get(write.name)
    if judge is None:
        return ALLOWED
    try:
        return (yield from judge(write.arguments, said))
    except ToolRefused:
        return denied("not_found")


def book(arguments: Record, said: Said) -> Reads[Ruling]:
    if len(arguments["passengers"]) > 5:
        return denied("too_many_passengers")
    user = yield queries.profile(arguments["user_id"])
    sources = [user["payment_methods"].get(payment["payment_id"], {}).get("source") for payment in arguments["payment_methods"]]
    if None in sources:
        return denied("payment_not_in_profile")
    if sources.count("certificate") > 1 or sources.count("credit_card") > 1 or sources.count("gift_card") > 3:
        return denied("payment_limits")
    free = free_bags(user["membership"], arguments["cabin"], len(arguments["passengers"]))
    return ALLOWED if arguments["nonfree_baggages"] == max(0, arguments["total_baggages"] - free) else denied("bag_count")


def cancel(arguments: Record, said: Said) -> Reads[Ruling]:
    trip = yield queries.reservation(arguments["reservation_id"])
    if said.get("user_id", trip["user_id"]) != trip["user_id"]:
        return denied("not_owner")
    statuses: dict[tuple[str, str], str] = {}
    for flight in flights_to_check(trip, reason_of(said)):
        statuses[flight] = yield queries.status(*flight)
    return cancellable(trip, statuses, reason_of(said))


def flights_to_check(trip: Record, reason: str) -> list[tuple[str, str]]:
    """Flights whose status a cancellation depends on: those up to today may be flown; later ones count if the airline is said to have cancelled."""
    flights = [(flight["flight_number"], flight["date"]) for flight in trip["flights"]]
    if not is_live(trip):
        return []
    return [flight for flight in flights if flight[1] <= TODAY or reason == "airline_cancelled"]


def cancellable(trip: Record, statuses: Mapping[tuple[str, str], str], reason: str) -> Ruling:
    """The policy's answer to a cancellation, once the statuses are known."""
    if not is_live(trip):
        return Ruling(False, "already_cancelled", why="cancelled already")
    if any(status in GONE for status in statuses.values()):
        return Ruling(False, "flown", transfer=True, why="a flight of it has been flown")
    grounds = _grounds(trip, statuses, reason)
    return Ruling(True, why=grounds) if grounds else Ruling(False, "cancel_not_covered", why=_no_grounds(trip))


def _grounds(trip: Record, statuses: Mapping[tuple[str, str], str], reason: str) -> str:
    """The first of the conditions that the cancellation meets; empty: none."""
    if trip["created_at"] >= DAY_AGO:
        return "booked within the last 24 hours"
    if trip["cabin"] == "business":
        return "business class can always be cancelled"
    if trip["insurance"] == "yes" and reason in COVERED_REASONS:
        return f"insured, and the reason is {reason}"
    return "the airline cancelled a flight of it" if "cancelled" in statuses.values() else ""


def _no_grounds(trip: Record) -> str:
    insured = "insured, but not for this reason" if trip["insurance"] == "yes" else "not insured"
    return f"booked more than 24 hours ago, {CABINS[trip['cabin']]}, {insured}"


def reason_of(said: Said) -> str:
    """The category of a stated reason: change_of_plan, airline_cancelled, health, weather or other."""
    text = str(said.get("reason", "other")).lower()
    marks = {
        "airline_cancelled": ("airline", "cancelled flight", "canceled flight"),
        "health": ("health", "sick", "ill", "injur", "hospital", "doctor", "medical"),
        "weather": ("weather", "storm", "hurricane", "snow", "flood"),
        "change_of_plan": ("change_of_plan", "plan"),
    }
    return next((reason for reason, words in marks.items() if any(word in text for word in words)), "other")


def change_flights(arguments: Record, said: Said) -> Reads[Ruling]:
    trip = yield queries.reservation(arguments["reservation_id"])
    user = yield queries.profile(trip["user_id"])
    payable = pays_changes(user, arguments["payment_id"])
    if not payable.allowed:
        return payable
    wanted = [(flight["flight_number"], flight["date"]) for flight in arguments["flights"]]
    held = [(flight["flight_number"], flight["date"]) for flight in trip["flights"]]
    if arguments["cabin"] != trip["cabin"]:
        for flight in held:
            if flight[1] <= TODAY and (yield queries.status(*flight)) in GONE:
                return denied("flown_cabin")
    if wanted == held:
        return ALLOWED
    if trip["cabin"] == "basic_economy":
        return denied("basic_economy")
    return (yield from _same_route(trip, [flight for flight in wanted if flight not in held]))


def _same_route(trip: Record, flights: Sequence[tuple[str, str]]) -> Reads[Ruling]:
    """New flights must be among those that lead from the trip's origin to its destination, or back on a round trip."""
    ways = [(trip["origin"], trip["destination"])]
    ways += [(trip["destination"], trip["origin"])] if trip["flight_type"] == "round_trip" else []
    shown: set[tuple[str, str]] = set()
    for date in sorted({date for _, date in flights}):
        for way in ways:
            shown |= {(row["flight_number"], date) for row in (yield queries.direct(*way, date))}
            pairs = yield queries.onestop(*way, date)
            shown |= {(row["flight_number"], row["date"]) for pair in pairs for row in pair}
    return ALLOWED if shown.issuperset(flights) else denied("route_change")


def pays_changes(user: Record, payment_id: str) -> Ruling:
    """A change is paid or refunded with one card or gift card of the profile."""
    method = user["payment_methods"].get(payment_id)
    if method is None:
        return denied("payment_not_in_profile")
    return denied("certificate_for_change") if method["source"] == SOURCES["certificate"] else ALLOWED


def change_bags(arguments: Record, said: Said) -> Reads[Ruling]:
    trip = yield queries.reservation(arguments["reservation_id"])
    user = yield queries.profile(trip["user_id"])
    if arguments["total_baggages"] < trip["total_baggages"]:
        return denied("bags_removed")
    free = free_bags(user["membership"], trip["cabin"], len(trip["passengers"]))
    if arguments["nonfree_baggages"] != max(0, arguments["total_baggages"] - free):
        return denied("bag_count")
    return pays_changes(user, arguments["payment_id"])


def change_passengers(arguments: Record, said: Said) -> Reads[Ruling]:
    trip = yield queries.reservation(arguments["reservation_id"])
    return ALLOWED if len(arguments["passengers"]) == len(trip["passengers"]) else denied("passenger_count")


def compensate(arguments: Record, said: Said) -> Reads[Ruling]:
    """Some trip of the user, or the one said, must be worth this certificate."""
    user = yield queries.profile(arguments["user_id"])
    trips: list[Record] = []
    if "trip" in said:
        found = yield from find_trip(said["trip"], arguments["user_id"])
        trips = [found.trip] if found.trip else []
    if not trips or said.get("then") == "cancel":  # nothing was said of the trip, or it is cancelled by now and its reference finds another
        trips += [trip for trip in (yield from own_trips(arguments["user_id"])) if not trips or not is_live(trip)]
    verdicts = []
    for trip in trips:
        complaint = said.get("complaint", "") if said.get("complaint") in ("cancelled", "delayed") else ""
        due = yield from compensation(user, trip, changed=bool(said.get("changed")) or is_changed(trip), complaint=complaint)
        verdicts.append(due)
    if any(isinstance(due, int) and due == arguments["amount"] for due in verdicts):
        return ALLOWED
    rules = [due for due in verdicts if isinstance(due, str)]
    return denied(rules[0] if len(rules) == len(verdicts) and len(set(rules)) == 1 else "compensation_amount" if verdicts else "not_found")


def is_changed(trip: Record) -> bool:
    """Cancelled, or paid for more than once: the record's only traces of a change."""
    return not is_live(trip) or len(trip["payment_history"]) > 1


def compensation(user: Record, trip: Record, *, changed: bool, complaint: str = "") -> Reads[int | str]:
    """Dollars due for a trip, or the rule against it. `complaint`: `cancelled`, `delayed`, or either."""
    if not is_eligible(user, trip):
        return "compensation_ineligible"
    seen = set()
    for flight in trip["flights"]:
        seen.add((yield queries.status(flight["flight_number"], flight["date"])))
    return due(trip, seen, changed=changed, complaint=complaint)


def is_eligible(user: Record, trip: Record) -> bool:
    return bool(user["membership"] != "regular" or trip["insurance"] == "yes" or trip["cabin"] == "business")


def due(trip: Record, statuses: set[str], *, changed: bool, complaint: str = "") -> int | str:
    """Dollars for an eligible trip whose flights have these statuses, or the rule against it."""
    if "cancelled" in statuses and complaint != "delayed":
        return 100 * len(trip["passengers"])
    if "delayed" in statuses and complaint != "cancelled":
        return 50 * len(trip["passengers"]) if changed else "delay_without_change"
    return "compensation_unfounded"


_JUDGES = {
    "book_reservation": book,
    "cancel_reservation": cancel,
    "update_reservation_flights": change_flights,
    "update_reservation_baggages": change_bags,
    "update_reservation_passengers": change_passengers,
    "send_certificate": compensate,
}

"""How a write's arguments can be stated, where they may come from, and which of them are derived."""

from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property
from random import Random
from typing import Any

from writ.domains.airline.clock import MONTHS, day_text
from writ.domains.airline.payments import BAG_DOLLARS, INSURANCE_DOLLARS, free_bags, method_text
from writ.domains.airline.places import place
from writ.domains.airline.trips import CABINS, is_live
from writ.domains.base import Said, Shown
from writ.domains.database import leaf_paths
from writ.domains.wording import spin
from writ.schema import Call

Record = dict[str, Any]


class Seen:
    """What was shown so far, by what it is about; the latest showing counts."""

    def __init__(self, shown: Shown) -> None:
        self._shown = shown
        self.users: dict[str, Record] = {}
        self.trips: dict[str, Record] = {}
        self.statuses: dict[tuple[str, str], str] = {}
        for call, value in shown:
            self._take(call, value)

    def _take(self, call: Call, value: Any) -> None:
        if call.name == "get_user_details":
            self.users[value["user_id"]] = value
        elif call.name == "get_flight_status":
            self.statuses[call.arguments["flight_number"], call.arguments["date"]] = value
        elif isinstance(value, dict) and "reservation_id" in value:
            self.trips[value["reservation_id"]] = value

    @cached_property
    def offers(self) -> dict[tuple[str, str], Record]:
        """Rows of searches by flight and date."""
        searches = ((call, value) for call, value in self._shown if call.name.startswith("search_"))
        return {(row["flight_number"], row["date"] or call.arguments["date"]): row for call, value in searches for row in _rows(value)}

    def owner(self, write: Call) -> Record | None:
        """The user whom a write is for."""
        trip = self.trips.get(write.arguments.get("reservation_id", ""))
        return self.users.get(write.arguments.get("user_id") or (trip or {}).get("user_id", ""))

    def method(self, write: Call, payment_id: str) -> str:
        """A payment method as a customer knows it; its id where the profile was not shown."""
        known = (self.owner(write) or {}).get("payment_methods", {}).get(payment_id)
        return method_text(known) if known else payment_id


def _rows(value: Any) -> Iterator[Record]:
    for entry in value if isinstance(value, list) else ():
        yield from entry if isinstance(entry, list) else (entry,)


# ------------------------------------------------------------------------------------------------------------------------------ confirmation


def summarize(write: Call, shown: Shown, rng: Random) -> str:
    """One clause that states every argument of a write."""
    seen, arguments = Seen(shown), write.arguments
    if write.name == "book_reservation":
        return _booking(write, seen, rng)
    if write.name == "send_certificate":
        amount = f"${arguments['amount']:,}"
        return spin(rng, "{send|issue|give} you a {travel certificate|certificate} {of|worth|over} [amount]", {"amount": amount})
    trip = _trip_words(seen.trips.get(arguments["reservation_id"]), arguments["reservation_id"])
    if write.name == "cancel_reservation":
        return spin(rng, "{cancel|call off} [trip]{| completely| as a whole| with all its flights}", {"trip": trip})
    if write.name == "update_reservation_passengers":
        people = _people(arguments["passengers"])
        return spin(rng, "{change|update|set} the {passengers|travelers} of [trip] to [people]", {"trip": trip, "people": people})
    method = seen.method(write, arguments["payment_id"])
    if write.name == "update_reservation_baggages":
        slots = {"trip": trip, "total": arguments["total_baggages"], "paid": arguments["nonfree_baggages"], "method": method}
        return spin(rng, "{set|change|update} the checked bags of [trip] to [total] in total, [paid] of them paid, {using|with} [method]", slots)
    flights = "; ".join(f"{flight['flight_number']} on {day_text(flight['date'])}" for flight in arguments["flights"])
    slots = {"trip": trip, "flights": flights, "cabin": CABINS[arguments["cabin"]], "method": method}
    return spin(
        rng,
        "{change|update|move} [trip] to {flights|the flights} [flights] in [cabin], {settled with|with the difference settled by} [method]",
        slots,
    )


def _airport(code: str) -> str:
    """`Newark (EWR)`; the code stands once where the name holds it."""
    return place(code) if code in place(code) else f"{place(code)} ({code})"


def _trip_words(trip: Record | None, trip_id: str) -> str:
    return f"reservation {trip_id} ({place(trip['origin'])} to {place(trip['destination'])})" if trip else f"reservation {trip_id}"


def _people(passengers: Sequence[Record]) -> str:
    return "; ".join(f"{person['first_name']} {person['last_name']}, born {person['dob']}" for person in passengers)


def _booking(write: Call, seen: Seen, rng: Random) -> str:
    a = write.arguments
    slots = {
        "type": "round trip" if a["flight_type"] == "round_trip" else "one way trip",
        "cabin": CABINS[a["cabin"]],
        "origin": _airport(a["origin"]),
        "destination": _airport(a["destination"]),
        "flights": "; ".join(f"{flight['flight_number']} on {day_text(flight['date'])}" for flight in a["flights"]),
        "people": _people(a["passengers"]),
        "bags": f"{a['total_baggages']} checked bags, {a['nonfree_baggages']} of them paid",
        "insurance": "with travel insurance" if a["insurance"] == "yes" else "without travel insurance",
        "payment": "; ".join(f"${share['amount']:,} from {seen.method(write, share['payment_id'])}" for share in a["payment_methods"]),
    }
    template = (
        "book a [type] from [origin] to [destination] in [cabin], {flying|with flights} [flights], for [people], [bags], [insurance], "
        "{paid with|paying} [payment]"
    )
    return spin(rng, template, slots)


# --------------------------------------------------------------------------------------------------------------------------- surface forms


def forms(write: Call, shown: Shown) -> Mapping[str, tuple[str, ...]]:
    """Per argument leaf: texts any one of which states it."""
    seen = Seen(shown)
    return {path: _forms(path, value, write, seen) for path, value in leaf_paths(write.arguments)}


def _forms(path: str, value: Any, write: Call, seen: Seen) -> tuple[str, ...]:
    name = path.rsplit(".", 1)[-1]
    if name in ("origin", "destination"):
        return (str(value), place(str(value)))
    if name in ("date", "dob"):
        return date_forms(str(value))
    if name == "cabin":
        return tuple(dict.fromkeys((CABINS.get(str(value), str(value)), str(value), str(value).replace("_", " "))))
    if name == "flight_type":
        return (str(value).replace("_", " "), str(value).replace("_", "-"))
    if name == "payment_id":
        return _payment_forms(str(value), write, seen)
    if name == "insurance":
        return INSURANCE_FORMS.get(str(value), (str(value),))
    if name == "amount":
        return (f"${value:,}", f"${value}", f"{value} dollars", f"{value:,} dollars")
    if name == "reservation_id":
        return _trip_forms(str(value), seen)
    if name == "user_id":
        return ()  # whose account it is, a confirmation need not say
    return _number_forms(value) if isinstance(value, int) else (str(value),)


INSURANCE_FORMS = {
    "yes": ("with travel insurance", "with insurance", "insurance: yes", "include travel insurance", "including travel insurance", "yes"),
    "no": ("without travel insurance", "without insurance", "no travel insurance", "no insurance", "insurance: no", "insurance: none", "declined"),
}


def date_forms(date: str) -> tuple[str, ...]:
    """`2024-05-25`, `May 25`, `25 May`, `May 25th`, `5/25`."""
    month, day = MONTHS[int(date[5:7])], int(date[8:10])
    suffix = "th" if 10 < day < 20 else {1: "st", 2: "nd", 3: "rd"}.get(day % 10, "th")
    return (date, f"{month} {day}", f"{day} {month}", f"{month} {day}{suffix}", f"{int(date[5:7])}/{day}")


def _payment_forms(payment_id: str, write: Call, seen: Seen) -> tuple[str, ...]:
    known = (seen.owner(write) or {}).get("payment_methods", {}).get(payment_id)
    if known and known["source"] == "credit_card":
        return (payment_id, f"ending in {known['last_four']}", known["last_four"])
    noun = (known or {}).get("source", "").replace("_", " ")
    return (payment_id, *((f"your {noun}", noun) if noun and _only(seen.owner(write), known) else ()))


def _only(user: Record | None, method: Record | None) -> bool:
    methods = (user or {}).get("payment_methods", {}).values()
    return method is not None and sum(other["source"] == method["source"] for other in methods) == 1


def _trip_forms(trip_id: str, seen: Seen) -> tuple[str, ...]:
    trip = seen.trips.get(trip_id)
    same = [other for other in seen.trips.values() if trip and other["destination"] == trip["destination"] and is_live(other)]
    return (trip_id, place(trip["destination"])) if trip and len(same) == 1 else (trip_id,)


def _number_forms(value: int) -> tuple[str, ...]:
    words = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten")
    return (str(value), *((words[value],) if 0 <= value < len(words) else ()), *(("no", "none", "free") if value == 0 else ()))


# ------------------------------------------------------------------------------------------------------------------------------- provenance

FIELDS: Mapping[tuple[str, str], tuple[str, ...]] = {
    ("*", "user_id"): ("get_user_details:user_id", "get_reservation_details:user_id"),
    ("*", "reservation_id"): ("get_user_details:reservations.*", "get_reservation_details:reservation_id"),
    ("*", "origin"): (
        "list_all_airports:*.iata",
        "get_reservation_details:origin",
        "search_direct_flight:*.origin",
        "search_onestop_flight:*.*.origin",
    ),
    ("*", "destination"): (
        "list_all_airports:*.iata",
        "get_reservation_details:destination",
        "search_direct_flight:*.destination",
        "search_onestop_flight:*.*.destination",
    ),
    ("*", "cabin"): ("get_reservation_details:cabin",),
    ("*", "flight_type"): ("get_reservation_details:flight_type",),
    ("*", "insurance"): ("get_reservation_details:insurance",),
    ("*", "flight_number"): (
        "search_direct_flight:*.flight_number",
        "search_onestop_flight:*.*.flight_number",
        "get_reservation_details:flights.*.flight_number",
    ),
    ("*", "price"): ("search_direct_flight:*.prices.*", "search_onestop_flight:*.*.prices.*", "get_reservation_details:flights.*.price"),
    ("*", "date"): ("search_onestop_flight:*.*.date", "get_reservation_details:flights.*.date"),
    ("*", "first_name"): (
        "get_user_details:name.first_name",
        "get_user_details:saved_passengers.*.first_name",
        "get_reservation_details:passengers.*.first_name",
    ),
    ("*", "last_name"): (
        "get_user_details:name.last_name",
        "get_user_details:saved_passengers.*.last_name",
        "get_reservation_details:passengers.*.last_name",
    ),
    ("*", "dob"): ("get_user_details:dob", "get_user_details:saved_passengers.*.dob", "get_reservation_details:passengers.*.dob"),
    ("*", "payment_id"): ("get_user_details:payment_methods.*.id", "get_reservation_details:payment_history.*.payment_id"),
    ("*", "total_baggages"): ("get_reservation_details:total_baggages",),
    ("*", "nonfree_baggages"): ("get_reservation_details:nonfree_baggages",),
}


def fields(tool: str, argument: str) -> tuple[str, ...]:
    """Paths of outputs that may ground an argument; `argument` is a leaf's path or its last name."""
    return FIELDS.get(("*", argument.rsplit(".", 1)[-1]), ())


def formulas(write: Call, shown: Shown, said: Said) -> Mapping[str, tuple[str, Any]]:
    """Derived leaves: formula and value over what was shown. A leaf whose inputs were not shown is left out."""
    seen, arguments = Seen(shown), write.arguments
    if write.name == "book_reservation":
        return {**_booking_bags(arguments, seen), **_booking_amounts(arguments, seen)}
    if write.name == "update_reservation_baggages":
        return _bag_formulas(write, seen, said)
    if write.name == "send_certificate":
        return _certificate_formula(arguments, seen)
    return {}


def _booking_bags(arguments: Record, seen: Seen) -> dict[str, tuple[str, Any]]:
    user = seen.users.get(arguments["user_id"])
    if user is None:
        return {}
    free = free_bags(user["membership"], arguments["cabin"], len(arguments["passengers"]))
    return {"nonfree_baggages": (f"bags beyond the {free} that are free", max(0, arguments["total_baggages"] - free))}


def _booking_amounts(arguments: Record, seen: Seen) -> dict[str, tuple[str, Any]]:
    rows = [seen.offers.get((flight["flight_number"], flight["date"])) for flight in arguments["flights"]]
    user = seen.users.get(arguments["user_id"])
    if user is None or None in rows:
        return {}
    people = len(arguments["passengers"])
    fares = [row["prices"][arguments["cabin"]] for row in rows if row]
    extras = {"for bags": BAG_DOLLARS * arguments["nonfree_baggages"], "insurance": INSURANCE_DOLLARS * people * (arguments["insurance"] == "yes")}
    left = sum(fares) * people + sum(extras.values())
    total = _sum_text(fares, people, extras, left)
    derived: dict[str, tuple[str, Any]] = {}
    for index, share in enumerate(arguments["payment_methods"]):
        method = user["payment_methods"].get(share["payment_id"], {})
        amount = left if method.get("source") == "credit_card" else min(left, int(method.get("amount", 0)))
        share = "the whole balance, of " if amount < left else "what is left of " if index else ""
        derived[f"payment_methods.{index}.amount"] = (f"{share}{total}", amount)
        left -= amount
    return derived


def _sum_text(fares: Sequence[int], people: int, extras: Mapping[str, int], total: int) -> str:
    """How a total adds up: `2 × ($100 + $68) + $60 insurance = $396`."""
    way = " + ".join(f"${fare}" for fare in fares)
    way = f"{people} × {f'({way})' if len(fares) > 1 else way}" if people > 1 else way
    terms = [way, *(f"${dollars} {name}" for name, dollars in extras.items() if dollars)]
    return f"{' + '.join(terms)} = ${total}" if len(terms) > 1 or people > 1 or len(fares) > 1 else f"the fare, {way}"


def _bag_formulas(write: Call, seen: Seen, said: Said) -> dict[str, tuple[str, Any]]:
    trip, user = seen.trips.get(write.arguments["reservation_id"]), seen.owner(write)
    derived: dict[str, tuple[str, Any]] = {}
    if trip and "add" in said:
        derived["total_baggages"] = (f"{trip['total_baggages']} so far plus {said['add']} added", trip["total_baggages"] + int(said["add"]))
    if trip and user:
        free = free_bags(user["membership"], trip["cabin"], len(trip["passengers"]))
        derived["nonfree_baggages"] = (f"bags beyond the {free} that are free", max(0, write.arguments["total_baggages"] - free))
    return derived


def _certificate_formula(arguments: Record, seen: Seen) -> dict[str, tuple[str, Any]]:
    """100 or 50 dollars for each passenger of a trip that has a cancelled or delayed flight."""
    found: dict[str, tuple[str, Any]] = {}
    for trip in seen.trips.values():
        statuses = {seen.statuses.get((flight["flight_number"], flight["date"])) for flight in trip["flights"]}
        for status, dollars in (("delayed", 50), ("cancelled", 100)):
            value = dollars * len(trip["passengers"])
            if status in statuses and found.get("amount", ("", None))[1] != arguments["amount"]:
                found["amount"] = (f"{dollars} dollars per passenger for a {status} flight", value)
    return found

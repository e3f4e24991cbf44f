"""How users say a booking."""

from collections.abc import Sequence
from random import Random
from zlib import crc32

from writ.domains.airline.clock import clock_text, day_text, shifted
from writ.domains.airline.payments import payment_text
from writ.domains.airline.places import place
from writ.domains.airline.trips import CABINS, Record, trip_text
from writ.domains.airline.wishes.common import count_text, payment_fact, yours
from writ.domains.wording import listed, spin
from writ.schema import Fact

STOPS = {"direct": "direct", "onestop": "one-stop", "any": "direct or one-stop"}

BY: dict[str, str] = {
    "cheapest": "cheapest",
    "fastest": "fastest",
    "earliest_arrival": "earliest arriving",
    "latest_departure": "latest departing",
    "earliest_departure": "earliest departing",
}


def route_text(leg: Record, *, back: bool = False) -> str:
    """`from Newark or LaGuardia to Houston`, `from Boston to Denver and back`."""
    ends = f"from {listed(map(place, leg['from']), 'or')} to {listed(map(place, leg['to']), 'or')}"
    return f"{ends} and back" if back else ends


def dates_text(legs: Sequence[Record]) -> str:
    """`May 25 or May 26`, with the way back where there is one."""
    out, *back = (listed(map(day_text, leg["dates"]), "or") for leg in legs)
    return f"{out}, coming back on {back[0]}" if back else out


def leg_choice(leg: Record) -> str:
    """What picks the flight: `flight HAT120`, `the cheapest direct flight, the fastest one if there is a tie`."""
    if "departs" in leg:
        return f"the direct flight that leaves at {clock_text(leg['departs'])}"
    if "numbers" in leg:
        return f"flight {leg['numbers'][0]}" if len(leg["numbers"]) == 1 else f"flights {listed(leg['numbers'])}"
    first, *others = leg["by"]
    tie = f", the {BY[others[0]]} one if there is a tie" if others else ""
    return f"the {BY[first]} {STOPS[leg['stops']]} flight{tie}"


def choice_text(legs: Sequence[Record]) -> str:
    """The choices of all legs; said once where they are the same."""
    choices = list(dict.fromkeys(leg_choice(leg) for leg in legs))
    if len(legs) == 1:
        return choices[0]
    return f"{choices[0]} each way" if len(choices) == 1 else f"{choices[0]} for the way there and {choices[1]} for the way back"


def people_text(slots: Record) -> str:
    """`just me`, `me and Ann Lee`, `the same passengers as on my trip to Denver`."""
    if "same_as" in slots:
        return f"the same passengers as on my {trip_text(slots['same_as'])}"
    names = ["me" if "self" in person else person.get("saved") or f"{person['first_name']} {person['last_name']}" for person in slots["passengers"]]
    return "just me" if names == ["me"] else listed(names)


def funds_text(refs: Sequence[Record]) -> str:
    """`my $250 travel certificate first, and whatever is left on my Visa ending in 7447`."""
    texts = [payment_text(ref) for ref in refs]
    if len(texts) == 1:
        return texts[0]
    return f"{', then '.join(texts[:-1])} first, and whatever is left on {texts[-1]}"


def cabin_text(slots: Record) -> str:
    """The cabin; two where the user wants a cabin each way, which the policy is against."""
    if "cabins" not in slots:
        return CABINS[slots["cabin"]]
    there, back = (CABINS[cabin] for cabin in slots["cabins"])
    return f"{there} on the way there and {back} on the way back"


def births(slots: Record) -> list[str]:
    new = [person for person in slots.get("passengers", ()) if "dob" in person]
    return [f"{person['first_name']} {person['last_name']} was born on {person['dob']}" for person in new]


def facts(slots: Record) -> tuple[Fact, ...]:
    legs = slots["legs"]
    kind = "round trip" if len(legs) > 1 else "one way"
    ends = {"from": legs[0]["from"], "to": legs[0]["to"]}
    facts = [
        _fact("route", ends, route_text(legs[0], back=len(legs) > 1)),
        _fact("dates", [leg["dates"] for leg in legs], dates_text(legs), wrong=_wrong_dates(legs)),
        _fact("choice", choice_text(legs), choice_text(legs)),
        _fact("cabin", slots["cabin"], cabin_text(slots)),
        _fact("travelers", people_text(slots), people_text(slots)),
        payment_of(slots["payments"]),
        _fact("bags", slots["bags"], count_text(slots["bags"], "checked bag"), core=False),
        _fact("insurance", slots["insurance"], _insurance(slots), core=False),
        _fact("flight_type", kind.replace(" ", "_"), saying(kind, slots), core=False),
    ]
    return (*facts, *([_fact("dates_of_birth", births(slots), "; ".join(births(slots)), core=False)] if births(slots) else ()))


QUESTIONS: dict[str, tuple[str, tuple[str, ...]]] = {
    "route": ("Where would you like to fly from and to?", ("where", "origin", "destination")),
    "dates": ("When would you like to travel?", ("when", "which date", "what date", "which day")),
    "choice": ("Which flight would you prefer?", ("prefer", "which flight", "what time")),
    "cabin": ("Which cabin would you like?", ("cabin", "class")),
    "travelers": ("Who will be traveling?", ("passenger", "traveling", "who")),
    "bags": ("How many checked bags will there be?", ("bag", "luggage", "suitcase")),
    "insurance": ("Would you like to add travel insurance?", ("insurance",)),
    "flight_type": ("Is this one way or a round trip?", ("one way", "one-way", "round trip", "round-trip", "trip type")),
    "dates_of_birth": ("What are the dates of birth?", ("birth", "dob", "born")),
}
"""How an agent asks for each fact, and words of such a question."""


def _fact(name: str, value: object, text: str, wrong: str = "", *, core: bool = True) -> Fact:
    question, cues = QUESTIONS[name]
    return Fact(name=name, value=value, text=text, question=question, cues=cues, wrong=wrong, core=core)


def payment_of(refs: Sequence[Record]) -> Fact:
    fact = payment_fact(refs[-1])
    text = funds_text(refs)
    wrong = text.replace(fact.text, fact.wrong) if fact.wrong else ""
    return fact.model_copy(update={"value": list(refs), "text": text, "wrong": wrong})


SAYINGS: dict[str, tuple[str, ...]] = {
    "yes": ("with travel insurance", "with insurance", "including travel insurance", "include travel insurance"),
    "no": ("without travel insurance", "no travel insurance", "no insurance", "without insurance"),
    "one way": ("one way", "one way only", "a one-way trip", "one way, not a round trip"),
    "round trip": ("round trip", "a round trip", "a round trip, both ways", "there and back, a round trip"),
}
"""Ways of saying the same, so that not all users say it alike."""


def saying(meaning: str, slots: Record) -> str:
    """One of them, the same each time for the same wish."""
    options = SAYINGS[meaning]
    return options[crc32(repr(slots["legs"]).encode()) % len(options)]


def _insurance(slots: Record) -> str:
    return saying(slots["insurance"], slots)


def _wrong_dates(legs: Sequence[Record]) -> str:
    if len(legs) > 1 or len(legs[0]["dates"]) > 1:
        return ""
    return day_text(shifted(legs[0]["dates"][0], -1))


def request(slots: Record, rng: Random) -> str:
    words = {fact.name: fact.text for fact in facts(slots)}
    number = len(slots.get("passengers", ()))
    words["seats"] = count_text(number, "seat") if number else "seats"
    opening, wish = spin(rng, OPENING, words), spin(rng, WISH, words)
    asks = [spin(rng, ASKS[ask]) for ask in slots["ask"]]
    return " ".join((opening, wish, *asks))


def script(slots: Record) -> str:
    legs = slots["legs"]
    type_words = "a round trip" if len(legs) > 1 else "a one-way trip"
    lines = [
        f"You want to book {type_words} {route_text(legs[0], back=len(legs) > 1)} on {dates_text(legs)}.",
        f"You want {choice_text(legs)}, in {cabin_text(slots)}, for {yours(people_text(slots))}.",
        *(f"{line}." for line in births(slots)),
        f"Payment: {yours(funds_text(slots['payments']))}.",
        f"You want {count_text(slots['bags'], 'checked bag')} in total, {_insurance(slots)}.",
        *(SCRIPT_ASKS[ask] for ask in slots["ask"]),
    ]
    return " ".join(lines)


def unavailable(slots: Record, rng: Random) -> str | None:
    """First class is no cabin of this airline."""
    words = {"route": route_text(slots["legs"][0]), "dates": dates_text(slots["legs"][:1])}
    return spin(rng, FIRST_CLASS, words)


OPENING = (
    "{{I'd like|I would like|I want|I need|I'm looking|I am hoping|I'm trying|We'd like} to {book|reserve|buy|get} "
    "{a trip|flights|tickets|travel|a journey} [route]{|, please}, {on|departing on|leaving on|going on} [dates]."
    "|{Could you|Can you|Would you} {please |}{book|reserve|arrange} {a trip|travel|flights|a journey} [route] {for|on} [dates]{| for me}?"
    "|{I have to|I need to|I must|I plan to|I'm planning to} {fly|travel|go|get} [route] {on|and would leave on} [dates].}"
)
WISH = (
    "{{Please take|Please find|I'd like|I would like|I want|I'd go for|Give me|What I want is|Make it} [choice], "
    "{in|traveling in|with a seat in} [cabin], {for|and it is for|and the tickets are for|flying will be} [travelers]."
    "|{It is|It's|This is|The booking is|The trip is} for [travelers], {in|and we fly in|seated in} [cabin], "
    "{and I want|and please take|and I would like|with} [choice].}"
)
ASKS = {
    "total": (
        "{{What|How much} will {it|this|the trip|everything} cost {in total|altogether|all in all}?"
        "|{Please tell|Also tell|Tell} me the total price{|, please| before you book| as well}."
        "|I {also |}{want|need|would like} to know {the total price|what it costs in total|the full amount}.}"
    ),
    "arrival": (
        "{{When|What time} {do I land|will I arrive|do I get in|is the arrival}?"
        "|{Please tell|Also tell|Tell} me {when I land|the arrival time|when I get there}{|, please| as well}."
        "|I {also |}{want|need|would like} to know {the arrival time|when the flight lands|when I arrive}.}"
    ),
}
SCRIPT_ASKS = {"total": "Ask for the total price.", "arrival": "Ask at what time you will arrive."}
FIRST_CLASS = (
    "{{First of all|To begin with|Ideally|Actually}, {I'd like|I would love|I'd want} "
    "{a first class suite|first class|a private suite in first class} [route] on [dates]{|, if you have that|, whatever it costs}."
    "|{Do you have|Is there|Could I get} {first class|a first class suite|a first class cabin} [route] on [dates]?}"
)

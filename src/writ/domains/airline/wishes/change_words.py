"""How users say a change of flights or of the cabin."""

from random import Random

from writ.domains.airline.clock import day_text
from writ.domains.airline.trips import CABINS, Record, trip_text
from writ.domains.airline.wishes.booking_words import leg_choice
from writ.domains.airline.wishes.common import payment_fact, trip_fact, yours
from writ.domains.wording import listed, spin
from writ.schema import Fact

PARTS = {"whole": "the flights", "outbound": "the way there", "return": "the way back"}


def facts(slots: Record) -> tuple[Fact, ...]:
    leg = slots["leg"]
    part = Fact(
        name="part", value=slots["part"], text=PARTS[slots["part"]], question="Which part of the trip should change?", cues=("which part", "leg")
    )
    dates = listed(map(day_text, leg["dates"]), "or")
    when = Fact(name="dates", value=leg["dates"], text=dates, question="Which date would you like instead?", cues=("date", "when", "day"))
    choice = Fact(name="choice", value=leg, text=leg_choice(leg), question="Which flight would you prefer?", cues=("prefer", "which flight"))
    cabin = [cabin_fact(slots["cabin"])] if slots["cabin"] else []
    return (trip_fact(slots["trip"]), part, when, choice, *cabin, payment_fact(slots["payment"]))


def cabin_fact(cabin: str) -> Fact:
    return Fact(name="cabin", value=cabin, text=CABINS[cabin], question="Which cabin would you like?", cues=("cabin", "class"))


def request(slots: Record, rng: Random) -> str:
    words = {fact.name: fact.text for fact in facts(slots) if fact.core}
    parts = [spin(rng, CHANGE, words), spin(rng, INSTEAD, words)]
    parts += [spin(rng, IN_CABIN, words)] if slots["cabin"] else []
    parts += [spin(rng, ASK_DIFFERENCE)] if "difference" in slots["ask"] else []
    return " ".join(parts)


def script(slots: Record) -> str:
    leg = slots["leg"]
    dates = listed(map(day_text, leg["dates"]), "or")
    cabin = f" The cabin should become {CABINS[slots['cabin']]}." if slots["cabin"] else " The cabin stays as it is."
    stays = " The rest of the trip should stay as it is." if slots["part"] != "whole" else ""
    ask = " You want to know how large the price difference is." if "difference" in slots["ask"] else ""
    return (
        f"You want to change {PARTS[slots['part']]} of your {trip_text(slots['trip'])} to {dates}. You want {leg_choice(leg)}.{cabin}{stays} "
        f"Use {yours(payment_fact(slots['payment']).text)} to pay or refund the difference.{ask}"
    )


def unavailable(trip: str, rng: Random) -> str:
    return spin(rng, FIRST_CLASS, {"trip": trip})


CHANGE = (
    "{{I want|I need|I would like|I'd like|I'm calling|I have|I am hoping} to {change|move|rebook|switch|shift} "
    "[part] of my [trip] to [dates]{|, please| if possible}."
    "|{Could you|Can you|Would you|Will you} {|please }{change|move|rebook|switch} [part] of my [trip] to [dates]{| for me}?"
    "|{It is about|I'm calling about|This is about|My question is about} my [trip], "
    "and [part] {should be moved|needs to move|must move|has to be changed} to [dates].}"
)
INSTEAD = (
    "{{Please {take|find|pick|choose|book}|I'd like|I would like|I want|I'd go for|Give me|{Put|Book} me on|Make it|What I want is|My choice is|"
    "I'd be happy with|I am after} [choice]{|, please}."
    "|{For the new flight|There|This time}, {I'd like|I want|I would take|please take|please pick} [choice].}"
)
IN_CABIN = (
    "{{The cabin should become|I also want to switch the cabin to|Please change the cabin to|And I want to fly in|We also want to be in} "
    "[cabin]{|, please| as well| this time}."
    "|{At the same time|Also|In addition}, {please move me to|I want to change to|I'd like to switch to} [cabin]{|, please}.}"
)
ASK_DIFFERENCE = (
    "{{What|How much} {will|would} {the difference|the price difference} be{| in total| altogether}?"
    "|{Please tell|Also tell|Tell} me {the price difference|how much the difference is}{|, please| before you change it| in total}."
    "|I {also |}{want|need|would like} to know {the price difference|how large the difference is}{| in total| altogether}.}"
)
FIRST_CLASS = (
    "{{First of all|To begin with|Ideally|Actually}, {I'd like|I would love|I'd want} "
    "to {move|upgrade} my [trip] to first class{|, if you have that|, whatever it costs}."
    "|{Is there|Do you have|Could I get} {a first class suite|first class|a first class cabin} for my [trip]?}"
)

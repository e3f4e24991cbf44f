"""Generated people: names, addresses, saved travelers, payment methods. The words are the project's own."""

from random import Random
from typing import Any

Record = dict[str, Any]

_FIRST_NAMES = """
Adele Agnes Alba Alder Alfie Alma Amos Anika Ansel Aria Arlo Astrid Aubrey Basil Beatrix Benno Bianca Blaise Bodil Briar Bruno Calla Carys
Cedric Celeste Clive Cora Corin Dahlia Darius Delia Dmitri Edda Edgar Elara Eliot Elsie Ember Enzo Esme Ewan Fabian Faye Felix Fern Finn
Flora Freya Gideon Gilda Gwen Hazel Heidi Hector Hugo Ida Imogen Ines Iris Isla Ivo Jasper Jonas Juno Kira Klara Lars Leif Leona Linus Lorna
Luca Magda Malin Marek Maren Matteo Maud Milo Mira Nadia Nell Nico Nils Nora Odette Olaf Orla Oscar Otto Paloma Paula Pearl Petra Piers
Quinn Ramona Remy Rhea Rosa Rowan Ruben Saskia Selma Silas Simone Sven Tamsin Tess Theo Thora Tilda Tobias Ulla Ursula Vera Viggo Viola
Wanda Willa Xenia Yannick Yvette Zelda Zora
"""
FIRST_NAMES = tuple(_FIRST_NAMES.split())
_LAST_NAMES = """
Abbott Aldridge Amsel Arden Ashdown Bagley Barlow Becker Bellamy Birch Blackwood Boone Brandt Briggs Calder Castell Chandler Clegg Colby
Corbin Crane Dahl Danner Decker Delaney Draper Dunmore Eastman Ekberg Ellery Faber Fairfax Falk Farrow Fenwick Finch Forsyth Frost Gallagher
Garrick Gilmore Glover Granger Griffith Haas Hadley Halloran Harlow Hartmann Hawthorne Hobbs Holloway Ingram Jarvis Keating Kessler Kirkland
Lachance Langley Larkin Lindqvist Lockhart Lowell Maddox Mallory Marsh Mercer Merrick Montrose Nash Norwood Nyberg Oakley Olmsted Orwell
Paxton Penrose Pickett Prescott Quill Radcliffe Ramsey Redfern Ridley Rosen Rutledge Sawyer Selby Shelby Sinclair Sorensen Stanton Sutter
Tanner Thorne Tillman Underhill Vance Verhoeven Wakefield Walden Weaver Whitlock Winslow Wolfe Wyndham Yardley York Zeller
"""
LAST_NAMES = tuple(_LAST_NAMES.split())
_STREETS = """
Alder Bramble Cooper Drover Ember Ferry Garnet Heron Ivy Juniper Kestrel Lantern Mason Nettle Orchard Pebble Quarry Rookery Saddler Thistle
"""
STREETS = tuple(_STREETS.split())
SUFFIXES = ("Row", "Walk", "Terrace", "Rise", "Crescent", "Gate", "Close")
CITIES = (
    ("Portland", "OR", "972"),
    ("Boise", "ID", "837"),
    ("Tulsa", "OK", "741"),
    ("Omaha", "NE", "681"),
    ("Raleigh", "NC", "276"),
    ("Albany", "NY", "122"),
    ("Tucson", "AZ", "857"),
    ("Madison", "WI", "537"),
    ("Richmond", "VA", "232"),
    ("Spokane", "WA", "992"),
    ("Hartford", "CT", "061"),
    ("Mobile", "AL", "366"),
)
MEMBERSHIPS = {"silver": 182, "gold": 175, "regular": 143}
NUMBERS_OF = {"credit_card": (42, 36, 17, 5), "gift_card": (36, 43, 16, 5), "certificate": (44, 37, 15, 4)}
"""Weights of having none, one, two or three."""

CERTIFICATE_DOLLARS = (100, 150, 250, 500)


def new_user(rng: Random, taken: dict[str, Any]) -> Record:
    """A user with a new id and no trips yet."""
    first, last = rng.choice(FIRST_NAMES), rng.choice(LAST_NAMES)
    user_id = f"{first}_{last}_{rng.randrange(1000, 10_000)}".lower()
    while user_id in taken:
        user_id = f"{first}_{last}_{rng.randrange(1000, 10_000)}".lower()
    return {
        "user_id": user_id,
        "name": {"first_name": first, "last_name": last},
        "address": _address(rng),
        "email": f"{first}.{last}{rng.randrange(1000, 10_000)}@example.org".lower(),
        "dob": _dob(rng),
        "payment_methods": _methods(rng),
        "saved_passengers": [other_passenger(rng) for _ in range(1 if rng.random() < 0.66 else 2)],
        "membership": rng.choices(list(MEMBERSHIPS), list(MEMBERSHIPS.values()))[0],
        "reservations": [],
    }


def other_passenger(rng: Random) -> Record:
    return {"first_name": rng.choice(FIRST_NAMES), "last_name": rng.choice(LAST_NAMES), "dob": _dob(rng)}


def _dob(rng: Random) -> str:
    return f"{rng.randrange(1950, 2001)}-{rng.randrange(1, 13):02d}-{rng.randrange(1, 29):02d}"


def _address(rng: Random) -> Record:
    city, state, zip_start = rng.choice(CITIES)
    return {
        "address1": f"{rng.randrange(1, 1000)} {rng.choice(STREETS)} {rng.choice(SUFFIXES)}",
        "address2": f"Unit {rng.randrange(1, 400)}",
        "city": city,
        "country": "USA",
        "state": state,
        "zip": f"{zip_start}{rng.randrange(100):02d}",
    }


def _methods(rng: Random) -> dict[str, Record]:
    """At least one method, shuffled."""
    sources = [source for source, weights in NUMBERS_OF.items() for _ in range(rng.choices(range(4), weights)[0])]
    methods = [_method(rng, source) for source in sources or [rng.choice(list(NUMBERS_OF))]]
    rng.shuffle(methods)
    return {method["id"]: method for method in methods}


def _method(rng: Random, source: str) -> Record:
    method: Record = {"source": source, "id": f"{source}_{rng.randrange(10_000_000, 100_000_000)}"}
    if source == "credit_card":
        return {**method, "brand": rng.choice(("visa", "mastercard")), "last_four": f"{rng.randrange(10_000):04d}"}
    return {**method, "amount": float(rng.randrange(1, 301) if source == "gift_card" else rng.choice(CERTIFICATE_DOLLARS))}

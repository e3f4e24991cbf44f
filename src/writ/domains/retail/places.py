"""Cities with their states and zip ranges, and street names of our own: where generated customers live, and where customers move to."""

from random import Random
from typing import NamedTuple

from writ.domains.retail.evidence_book import Json


class City(NamedTuple):
    name: str
    state: str
    zip_start: str
    """First two digits of its zip codes."""


CITIES = tuple(
    City(*line.split(";"))
    for line in (
        "Denver;CO;80", "Dallas;TX;75", "Philadelphia;PA;19", "New York;NY;10", "Phoenix;AZ;85", "San Diego;CA;92", "Indianapolis;IN;46",
        "San Jose;CA;95", "Los Angeles;CA;90", "Austin;TX;78", "San Antonio;TX;78", "Jacksonville;FL;32", "Charlotte;NC;28",
        "Columbus;OH;43", "San Francisco;CA;94", "Fort Worth;TX;76", "Washington;DC;20", "Chicago;IL;60", "Seattle;WA;98", "Houston;TX;77",
    )
)  # fmt: skip

STREETS = (
    "Alder Court", "Bluebell Lane", "Canal Street", "Dogwood Drive", "Eastgate Road", "Fern Hollow Lane", "Granary Street", "Heron Way",
    "Ivy Terrace", "Juniper Avenue", "Kestrel Drive", "Larkspur Lane", "Meridian Avenue", "Northfield Road", "Orchard Row", "Pebble Creek Drive",
    "Quarry Road", "Rosewood Avenue", "Sycamore Court", "Tannery Street", "Umber Lane", "Violet Street", "Westbrook Drive", "Yarrow Lane",
)  # fmt: skip


def new_address(rng: Random) -> Json:
    """A complete address that no real customer has."""
    city = rng.choice(CITIES)
    return {
        "address1": f"{rng.randint(101, 999)} {rng.choice(STREETS)}",
        "address2": f"Suite {rng.randint(100, 999)}",
        "city": city.name,
        "country": "USA",
        "state": city.state,
        "zip": f"{city.zip_start}{rng.randint(100, 299)}",
    }

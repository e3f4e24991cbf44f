"""Airports by the names that travellers use. Any other airport goes by its code."""

CITIES: dict[str, str] = {
    "ATL": "Atlanta",
    "BOS": "Boston",
    "CLT": "Charlotte",
    "DEN": "Denver",
    "DFW": "Dallas",
    "DTW": "Detroit",
    "EWR": "Newark",
    "IAH": "Houston",
    "JFK": "New York JFK",
    "LAS": "Las Vegas",
    "LAX": "Los Angeles",
    "LGA": "LaGuardia",
    "MCO": "Orlando",
    "MIA": "Miami",
    "MSP": "Minneapolis",
    "ORD": "Chicago",
    "PHL": "Philadelphia",
    "PHX": "Phoenix",
    "SEA": "Seattle",
    "SFO": "San Francisco",
}

NEARBY: tuple[tuple[str, ...], ...] = (
    ("EWR", "LGA", "JFK"),
    ("PHL", "EWR", "LGA"),
    ("LAX", "LAS", "PHX"),
    ("LAX", "SFO", "LAS"),
    ("MIA", "MCO", "ATL"),
    ("ORD", "DTW", "MSP"),
    ("BOS", "LGA", "JFK"),
    ("ATL", "CLT", "MCO"),
    ("DFW", "IAH"),
    ("SFO", "SEA"),
    ("DEN", "LAS", "PHX"),
)
"""Airports that one traveller could use in place of each other."""


def place(code: str) -> str:
    """The traveller's name of an airport."""
    return CITIES.get(code, code)

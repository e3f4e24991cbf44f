"""The generated airline: same arguments, same bytes; legal, unlike the benchmark's in every id, and like it in its statistics."""

import json
import re
from collections import Counter
from itertools import pairwise

import pytest
from airline_worlds import AIRLINE

from writ.domains.airline.tools import AIRPORTS


@pytest.fixture(scope="module")
def tables():
    return AIRLINE.generate(3, 300)


def test_generator_gives_the_same_bytes_for_the_same_seed(tables):
    assert json.dumps(AIRLINE.generate(3, 300)) == json.dumps(tables)
    assert json.dumps(AIRLINE.generate(4, 300)) != json.dumps(tables)


def test_generated_trips_are_flown_by_flights_that_exist_and_connect(tables):
    for trip in tables["reservations"].values():
        flights = trip["flights"]
        for one, other in pairwise(flights):
            assert one["destination"] == other["origin"]
            assert one["date"] <= other["date"]
        for flight in flights:
            known = tables["flights"][flight["flight_number"]]
            assert (known["origin"], known["destination"]) == (flight["origin"], flight["destination"])
            assert flight["date"] in known["dates"]
        assert flights[0]["origin"] == trip["origin"]
        assert flights[-1]["destination"] == (trip["destination"] if trip["flight_type"] == "one_way" else trip["origin"])
        assert trip["created_at"][:10] < flights[0]["date"]


def test_generated_trips_are_paid_in_full_from_the_profile(tables):
    for trip in tables["reservations"].values():
        people = len(trip["passengers"])
        price = sum(flight["price"] for flight in trip["flights"]) * people + (30 * people if trip["insurance"] == "yes" else 0)
        (payment,) = trip["payment_history"]
        assert payment["amount"] == price
        assert payment["payment_id"] in tables["users"][trip["user_id"]]["payment_methods"]


def test_generated_ids_are_not_the_benchmarks(tables, shared):
    theirs = json.loads((shared / "tau2-bench" / "airline" / "db.json").read_text())
    for table in ("users", "reservations", "flights"):
        assert not set(theirs[table]) & set(tables[table])
    ours = {key for user in tables["users"].values() for key in user["payment_methods"]}
    assert not ours & {key for user in theirs["users"].values() for key in user["payment_methods"]}
    assert all(re.fullmatch(r"A[A-Z0-9]{4}4", trip_id) for trip_id in tables["reservations"])
    assert not any(re.fullmatch(r"A[A-Z0-9]{4}4", trip_id) for trip_id in theirs["reservations"])
    last = {person["last_name"] for trip in theirs["reservations"].values() for person in trip["passengers"]}
    assert not last & {person["last_name"] for trip in tables["reservations"].values() for person in trip["passengers"]}


def test_generated_statistics_are_near_the_benchmarks(shared):
    theirs = json.loads((shared / "tau2-bench" / "airline" / "db.json").read_text())
    ours = AIRLINE.generate(1, 500)

    def shares(tables):
        trips, users = tables["reservations"].values(), tables["users"].values()
        found = {f"trip type {key}": count / len(trips) for key, count in Counter(trip["flight_type"] for trip in trips).items()}
        found |= {f"{key} passengers": count / len(trips) for key, count in Counter(len(trip["passengers"]) for trip in trips).items()}
        found |= {f"{key} flights": count / len(trips) for key, count in Counter(len(trip["flights"]) for trip in trips).items()}
        found |= {f"membership {key}": count / len(users) for key, count in Counter(user["membership"] for user in users).items()}
        found["trips per user"] = len(trips) / len(users) / 10
        found["no bags"] = sum(trip["total_baggages"] == 0 for trip in trips) / len(trips)
        found["all ahead"] = sum(all(flight["date"] > "2024-05-15" for flight in trip["flights"]) for trip in trips) / len(trips)
        return found

    expected, got = shares(theirs), shares(ours)
    far = {name: (share, got.get(name, 0)) for name, share in expected.items() if abs(share - got.get(name, 0)) > 0.09}
    assert far == {}


def test_generated_flights_serve_the_airports_that_the_tools_list(tables):
    assert {flight["origin"] for flight in tables["flights"].values()} == set(AIRPORTS)


def test_deep_accounts_hold_five_trips_and_more():
    deep = AIRLINE.generate(3, 100, deep=True)
    assert {len(user["reservations"]) >= 5 or not user["reservations"] for user in deep["users"].values()} == {True}

"""Airline writes: what each changes, and the published faults that a compatible implementation must have."""

import json
from typing import Any

import pytest
from tiny_databases import airline_database

from writ.domains.airline.tools import AirlineTools
from writ.domains.environment import Environment


@pytest.fixture
def environment() -> Environment:
    return Environment(AirlineTools, airline_database())


def done(environment: Environment, name: str, **arguments: Any) -> Any:
    result = environment.call(name, arguments)
    assert not result.error, result.content
    return json.loads(result.content)


def methods(environment: Environment) -> dict[str, Any]:
    return environment.read("get_user_details", {"user_id": "ann_1"})["payment_methods"]


ANN = {"first_name": "Ann", "last_name": "Lee", "dob": "1990-01-02"}
BOOK = {
    "user_id": "ann_1",
    "origin": "SFO",
    "destination": "JFK",
    "flight_type": "one_way",
    "cabin": "economy",
    "flights": [{"flight_number": "HAT001", "date": "2024-05-20"}, {"flight_number": "HAT002", "date": "2024-05-20"}],
    "passengers": [ANN],
    "payment_methods": [{"payment_id": "credit_card_1", "amount": 300}],
    "total_baggages": 2,
    "nonfree_baggages": 1,
    "insurance": "yes",
}


def paid(*payments: tuple[str, int]) -> dict[str, Any]:
    return BOOK | {"payment_methods": [{"payment_id": payment_id, "amount": amount} for payment_id, amount in payments]}


def test_a_booking_takes_seats_gift_money_and_certificates_whole_and_enters_the_reservation(environment):
    booked = done(environment, "book_reservation", **paid(("gift_card_1", 150), ("certificate_1", 60), ("credit_card_1", 90)))
    assert (booked["reservation_id"], booked["created_at"], booked["status"]) == ("HATHAT", "2024-05-15T15:00:00", None)
    assert [flight["price"] for flight in booked["flights"]] == [110, 110]
    assert methods(environment)["gift_card_1"]["amount"] == 50
    assert "certificate_1" not in methods(environment)
    seats = environment.delta()["flights"]["HAT002"]["dates"]["2024-05-20"]["available_seats"]
    assert seats == {"basic_economy": 5, "economy": 1, "business": 0}
    assert environment.read("get_user_details", {"user_id": "ann_1"})["reservations"] == ["R1", "HATHAT"]


def test_a_flight_booked_on_two_days_loses_seats_on_both_and_the_snapshot_keeps_them():
    database = airline_database()
    days = [{"flight_number": "HAT001", "date": f"2024-05-2{day}"} for day in (0, 1)]
    world = Environment(AirlineTools, database)
    done(world, "book_reservation", **BOOK | {"flights": days})
    for state, left in ((world, 1), (Environment(AirlineTools, database), 2)):
        dates = state.state.get("flights", "HAT001")["dates"]
        assert [dates[f"2024-05-2{day}"]["available_seats"]["economy"] for day in (0, 1)] == [left, left]


def test_a_fourth_booking_finds_no_id(environment):
    cheap = BOOK | {"cabin": "basic_economy", "payment_methods": [{"payment_id": "credit_card_1", "amount": 200}]}
    ids = [done(environment, "book_reservation", **cheap)["reservation_id"] for _ in range(3)]
    assert ids == ["HATHAT", "HATHAU", "HATHAV"]
    assert environment.call("book_reservation", cheap).content == "Error: Too many reservations"


def test_a_certificate_given_twice_is_refused_at_its_second_turn_but_what_was_taken_stays_taken(environment):
    twice = paid(("gift_card_1", 150), ("certificate_1", 60), ("certificate_1", 40), ("credit_card_1", 50))
    assert environment.call("book_reservation", twice).content == "Error: 'certificate_1'"
    assert methods(environment)["gift_card_1"]["amount"] == 50
    assert "certificate_1" not in methods(environment)
    assert set(environment.delta()) == {"users"}


def test_a_part_of_a_bag_is_refused_but_the_gift_card_stays_charged(environment):
    arguments = {"reservation_id": "R1", "total_baggages": 2, "nonfree_baggages": 1.25, "payment_id": "gift_card_1"}
    assert environment.call("update_reservation_baggages", arguments).content.startswith("Error: 1 validation error for Payment\namount\n")
    assert methods(environment)["gift_card_1"]["amount"] == 137.5
    assert set(environment.delta()) == {"users"}


def test_bags_cost_fifty_dollars_each_and_may_go_down_for_nothing(environment):
    arguments = {"reservation_id": "R1", "total_baggages": 4, "nonfree_baggages": 2, "payment_id": "credit_card_1"}
    assert done(environment, "update_reservation_baggages", **arguments)["payment_history"][-1]["amount"] == 100
    fewer = done(environment, "update_reservation_baggages", **arguments | {"nonfree_baggages": 0, "total_baggages": "one"})
    assert len(fewer["payment_history"]) == 2
    assert fewer["total_baggages"] == "one"


def test_cancelling_twice_negates_every_payment_again_and_releases_nothing(environment):
    done(environment, "cancel_reservation", reservation_id="R1")
    again = done(environment, "cancel_reservation", reservation_id="R1")
    assert [payment["amount"] for payment in again["payment_history"]] == [100, -100, -100, 100]
    assert again["status"] == "cancelled"
    assert set(environment.delta()) == {"reservations"}


def test_a_kept_segment_keeps_its_price_unless_the_cabin_changes(environment):
    arguments = {"reservation_id": "R1", "cabin": "economy", "payment_id": "credit_card_1", "flights": BOOK["flights"]}
    longer = done(environment.fork(), "update_reservation_flights", **arguments)
    assert [flight["price"] for flight in longer["flights"]] == [100, 110]
    assert longer["payment_history"][-1]["amount"] == 110
    lower = done(environment, "update_reservation_flights", **arguments | {"cabin": "basic_economy"})
    assert [flight["price"] for flight in lower["flights"]] == [60, 60]
    assert lower["payment_history"][-1]["amount"] == 20


def test_a_change_that_costs_nothing_adds_no_payment(environment):
    same = {"reservation_id": "R1", "cabin": "economy", "payment_id": "credit_card_1", "flights": BOOK["flights"][:1]}
    assert len(done(environment, "update_reservation_flights", **same)["payment_history"]) == 1
    assert environment.delta() == {}


def test_passengers_are_replaced_by_as_many_and_stored_as_they_came_when_they_are_no_objects(environment):
    bob = ANN | {"first_name": "Bob", "middle_name": "left out"}
    changed = done(environment, "update_reservation_passengers", reservation_id="R1", passengers=[bob])
    assert changed["passengers"] == [ANN | {"first_name": "Bob"}]
    assert done(environment, "update_reservation_passengers", reservation_id="R1", passengers="B")["passengers"] == "B"


def test_certificates_get_three_ids_and_then_none(environment):
    texts = [environment.call("send_certificate", {"user_id": "ann_1", "amount": 50}).content for _ in range(4)]
    assert texts[0] == "Certificate certificate_3221322 added to user ann_1 with amount 50."
    assert texts[2:] == ["Certificate certificate_3221324 added to user ann_1 with amount 50.", "Error: Too many certificates"]
    assert json.dumps(methods(environment)["certificate_3221322"]["amount"]) == "50.0"


def test_a_direct_search_shows_seats_and_prices_of_bookable_flights_without_a_date(environment):
    found = done(environment, "search_direct_flight", origin="SFO", destination="DEN", date="2024-05-20")
    assert [(flight["flight_number"], flight["date"], flight["prices"]["economy"]) for flight in found] == [
        ("HAT001", None, 110),
        ("HAT003", None, 110),
    ]
    assert environment.call("search_direct_flight", {"origin": "SFO", "destination": "DEN", "date": "2024-05-14"}).content == "[]"
    assert len(done(environment, "search_direct_flight", origin=None, destination=None, date="2024-05-20")) == 3
    assert done(environment, "search_direct_flight", origin=["SFO"], destination="DEN", date="2024-05-20") == []


def test_a_onestop_search_joins_by_time_and_misses_what_leaves_the_morning_after_an_overnight_leg(environment):
    found = done(environment, "search_onestop_flight", origin="SFO", destination="JFK", date="2024-05-20")
    assert [[(leg["flight_number"], leg["date"]) for leg in pair] for pair in found] == [
        [("HAT001", "2024-05-20"), ("HAT002", "2024-05-20")],
        [("HAT003", "2024-05-20"), ("HAT002", "2024-05-21")],
    ]


def test_status_airports_and_transfer_answer(environment):
    assert environment.call("get_flight_status", {"flight_number": "HAT001", "date": "2024-05-14"}).content == "cancelled"
    assert {"iata": "LGA", "city": "LaGuardia"} in done(environment, "list_all_airports")
    assert environment.call("transfer_to_human_agents", {"summary": ""}).content == "Transfer successful"


@pytest.mark.parametrize(
    ("name", "arguments", "reason"),
    [
        ("book_reservation", BOOK | {"user_id": "bob"}, "User bob not found"),
        ("book_reservation", BOOK | {"passengers": [ANN] * 3}, "Not enough seats on flight HAT001"),
        (
            "book_reservation",
            BOOK | {"flights": [{"flight_number": "HAT001", "date": "2024-05-14"}]},
            "Flight HAT001 not available on date 2024-05-14",
        ),
        ("book_reservation", BOOK | {"flights": [{"flight_number": "HAT001", "date": "2025-01-01"}]}, "Flight HAT001 not found on date 2025-01-01"),
        ("book_reservation", BOOK | {"flights": [{"flight_number": "HAT9", "date": "2024-05-20"}]}, "Flight HAT9 not found"),
        ("book_reservation", BOOK | {"flights": ["HAT001"]}, "'str' object has no attribute 'flight_number'"),
        ("book_reservation", BOOK | {"nonfree_baggages": "1"}, "unsupported operand type(s) for +=: 'int' and 'str'"),
        ("book_reservation", paid(("visa", 300)), "Payment method visa not found"),
        ("book_reservation", paid(("gift_card_1", 300)), "Not enough balance in payment method gift_card_1"),
        ("book_reservation", paid(("credit_card_1", 299)), "Payment amount does not add up, total price is 300, but paid 299"),
        ("cancel_reservation", {"reservation_id": "R2"}, "Reservation R2 not found"),
        ("update_reservation_passengers", {"reservation_id": "R1", "passengers": []}, "Number of passengers does not match"),
        ("send_certificate", {"user_id": None, "amount": 5}, "User None not found"),
    ],
)
def test_an_airline_call_that_must_not_succeed_gives_its_reason_and_changes_nothing(environment, name, arguments, reason):
    assert environment.call(name, arguments).content == f"Error: {reason}"
    assert environment.delta() == {}


@pytest.mark.parametrize(
    ("payment_id", "reason"),
    [
        ("visa", "Payment method not found"),
        ("certificate_1", "Certificate cannot be used to update reservation"),
        ("gift_card_1", "Gift card balance is not enough"),
    ],
)
def test_an_update_refuses_what_cannot_pay(environment, payment_id, reason):
    bags = {"reservation_id": "R1", "total_baggages": 9, "nonfree_baggages": 9, "payment_id": payment_id}
    assert environment.call("update_reservation_baggages", bags).content == f"Error: {reason}"
    assert environment.delta() == {}


def test_an_unknown_cabin_is_told_as_pythons_key_when_updating_and_as_a_wrong_literal_when_booking(environment):
    update = {"reservation_id": "R1", "cabin": "first", "flights": BOOK["flights"], "payment_id": "credit_card_1"}
    assert environment.call("update_reservation_flights", update).content == "Error: 'first'"
    assert "Input should be 'business', 'economy' or 'basic_economy'" in environment.call("book_reservation", BOOK | {"cabin": "first"}).content

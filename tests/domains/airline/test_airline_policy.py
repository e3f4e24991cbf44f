"""The policy where it decides, case by case; and its words."""

import re

import pytest
from airline_worlds import AIRLINE

from writ.domains.airline.policy import reason_of
from writ.domains.base import run
from writ.schema import Call

USER = "ann_lane_1000"
CARD, GIFT, CERTIFICATE = "credit_card_1", "gift_card_1", "certificate_1"


def person(number):
    return {"first_name": f"P{number}", "last_name": "Lane", "dob": "1990-01-01"}


def trip(**changes):
    base = {
        "reservation_id": "TRIP01",
        "user_id": USER,
        "origin": "BOS",
        "destination": "DEN",
        "flight_type": "one_way",
        "cabin": "economy",
        "flights": [{"origin": "BOS", "destination": "DEN", "flight_number": "F1", "date": "2024-05-20", "price": 100}],
        "passengers": [person(1), person(2)],
        "payment_history": [{"payment_id": CARD, "amount": 200}],
        "created_at": "2024-05-01T10:00:00",
        "total_baggages": 1,
        "nonfree_baggages": 0,
        "insurance": "no",
        "status": None,
    }
    return {**base, **changes}


def user(**changes):
    methods = {
        CARD: {"source": "credit_card", "id": CARD, "brand": "visa", "last_four": "1111"},
        GIFT: {"source": "gift_card", "id": GIFT, "amount": 100.0},
        CERTIFICATE: {"source": "certificate", "id": CERTIFICATE, "amount": 250.0},
        "certificate_2": {"source": "certificate", "id": "certificate_2", "amount": 100.0},
        "credit_card_2": {"source": "credit_card", "id": "credit_card_2", "brand": "visa", "last_four": "2222"},
    }
    base = {"user_id": USER, "membership": "silver", "payment_methods": methods, "saved_passengers": [], "reservations": ["TRIP01"]}
    return {**base, **changes}


def ruling(name, arguments, *, trips=(), who=None, statuses=None, said=None, rows=()):
    """The ruling on a write, with reads answered from these records."""
    known = {each["reservation_id"]: each for each in trips or (trip(),)}

    def read(tool, given):
        if tool == "get_user_details":
            return who or user()
        if tool == "get_reservation_details":
            return known[given["reservation_id"]]
        if tool == "get_flight_status":
            return (statuses or {}).get((given["flight_number"], given["date"]), "available")
        return list(rows) if tool == "search_direct_flight" else []

    found, _ = run(AIRLINE.permits(Call(name=name, arguments=arguments), said or {}), read)
    return found


def cancel(said=None, statuses=None, **changes):
    return ruling("cancel_reservation", {"reservation_id": "TRIP01"}, trips=(trip(**changes),), statuses=statuses, said=said)


PAST = [{"origin": "BOS", "destination": "DEN", "flight_number": "F1", "date": "2024-05-10", "price": 100}]


@pytest.mark.parametrize(
    ("said", "changes", "statuses", "rule"),
    [
        ({"reason": "change_of_plan"}, {}, {}, "cancel_not_covered"),
        ({"reason": "change_of_plan"}, {"cabin": "business"}, {}, ""),
        ({"reason": "change_of_plan"}, {"created_at": "2024-05-14T15:00:00"}, {}, ""),
        ({"reason": "change_of_plan"}, {"created_at": "2024-05-14T14:59:59"}, {}, "cancel_not_covered"),
        ({"reason": "change_of_plan"}, {"insurance": "yes"}, {}, "cancel_not_covered"),
        ({"reason": "health"}, {"insurance": "yes"}, {}, ""),
        ({"reason": "weather"}, {"insurance": "yes"}, {}, ""),
        ({"reason": "health"}, {}, {}, "cancel_not_covered"),
        ({"reason": "airline_cancelled"}, {}, {("F1", "2024-05-20"): "cancelled"}, ""),
        ({"reason": "airline_cancelled"}, {}, {}, "cancel_not_covered"),
        ({"reason": "health"}, {"insurance": "yes", "flights": PAST}, {("F1", "2024-05-10"): "landed"}, "flown"),
        ({"reason": "other"}, {"flights": PAST}, {("F1", "2024-05-10"): "cancelled"}, ""),
        ({"reason": "change_of_plan"}, {"status": "cancelled", "cabin": "business"}, {}, "already_cancelled"),
        ({"reason": "change_of_plan", "user_id": "somebody_else"}, {"cabin": "business"}, {}, "not_owner"),
    ],
)
def test_cancellation_is_allowed_only_where_a_condition_holds(said, changes, statuses, rule):
    found = cancel(said, statuses, **changes)
    assert (found.rule, found.allowed) == (rule, rule == "")
    assert found.transfer == (rule == "flown")


def book(people=1, payments=(CARD,), bags=(0, 0), cabin="economy"):
    arguments = {
        "user_id": USER,
        "cabin": cabin,
        "passengers": [person(n) for n in range(people)],
        "payment_methods": [{"payment_id": each, "amount": 1} for each in payments],
        "total_baggages": bags[0],
        "nonfree_baggages": bags[1],
    }
    return ruling("book_reservation", arguments).rule


def test_booking_is_denied_for_six_passengers():
    assert (book(5), book(6)) == ("", "too_many_passengers")


def test_booking_is_denied_for_two_certificates_or_two_cards_or_an_unknown_method():
    assert book(payments=(CERTIFICATE, GIFT, CARD)) == ""
    assert book(payments=(CERTIFICATE, "certificate_2")) == "payment_limits"
    assert book(payments=(CARD, "credit_card_2")) == "payment_limits"
    assert book(payments=("credit_card_9",)) == "payment_not_in_profile"


def test_booking_is_denied_where_paid_bags_are_not_those_beyond_the_allowance():
    assert book(bags=(3, 1)) == ""
    assert book(bags=(3, 0)) == "bag_count"
    assert book(people=2, bags=(3, 1)) == "bag_count"


def change(cabin="economy", flights=(("F1", "2024-05-20"),), payment=CARD, statuses=None, rows=(), held=None):
    arguments = {
        "reservation_id": "TRIP01",
        "cabin": cabin,
        "flights": [{"flight_number": number, "date": date} for number, date in flights],
        "payment_id": payment,
    }
    return ruling("update_reservation_flights", arguments, trips=(held or trip(),), statuses=statuses, rows=rows).rule


def test_basic_economy_changes_its_cabin_but_not_its_flights():
    assert change(cabin="economy", flights=(("F1", "2024-05-20"),)) == ""
    moved = ruling(
        "update_reservation_flights",
        {"reservation_id": "TRIP01", "cabin": "economy", "flights": [{"flight_number": "F1", "date": "2024-05-20"}], "payment_id": CARD},
        trips=(trip(cabin="basic_economy"),),
    )
    rebooked = ruling(
        "update_reservation_flights",
        {"reservation_id": "TRIP01", "cabin": "basic_economy", "flights": [{"flight_number": "F2", "date": "2024-05-21"}], "payment_id": CARD},
        trips=(trip(cabin="basic_economy"),),
    )
    assert (moved.rule, rebooked.rule) == ("", "basic_economy")


def test_flights_are_changed_on_the_same_route_only():
    row = {"flight_number": "F2"}
    assert change(flights=(("F2", "2024-05-21"),), rows=(row,)) == ""
    assert change(flights=(("F9", "2024-05-21"),), rows=(row,)) == "route_change"


def test_changes_are_not_paid_with_certificates_or_from_outside_the_profile():
    assert change(payment=GIFT) == ""
    assert change(payment=CERTIFICATE) == "certificate_for_change"
    assert change(payment="gift_card_9") == "payment_not_in_profile"


def test_cabin_is_not_changed_once_a_flight_was_flown():
    flight = ("F1", "2024-05-10")
    for status, rule in (("landed", "flown_cabin"), ("flying", "flown_cabin"), ("cancelled", "")):
        assert change("business", (flight,), statuses={flight: status}, held=trip(flights=PAST)) == rule


@pytest.mark.parametrize(
    ("total", "paid", "payment", "rule"),
    [(2, 0, CARD, ""), (5, 1, GIFT, ""), (0, 0, CARD, "bags_removed"), (5, 0, CARD, "bag_count"), (2, 0, CERTIFICATE, "certificate_for_change")],
)
def test_bags_are_added_within_the_rules(total, paid, payment, rule):
    arguments = {"reservation_id": "TRIP01", "total_baggages": total, "nonfree_baggages": paid, "payment_id": payment}
    assert ruling("update_reservation_baggages", arguments).rule == rule


def test_passengers_are_replaced_but_not_counted_anew():
    for number, rule in ((2, ""), (1, "passenger_count"), (3, "passenger_count")):
        arguments = {"reservation_id": "TRIP01", "passengers": [person(n + 5) for n in range(number)]}
        assert ruling("update_reservation_passengers", arguments).rule == rule


@pytest.mark.parametrize(
    ("membership", "changes", "status", "amount", "rule"),
    [
        ("silver", {}, "cancelled", 200, ""),
        ("silver", {}, "cancelled", 100, "compensation_amount"),
        ("regular", {}, "cancelled", 200, "compensation_ineligible"),
        ("regular", {"insurance": "yes"}, "cancelled", 200, ""),
        ("regular", {"cabin": "business"}, "cancelled", 200, ""),
        ("gold", {}, "landed", 200, "compensation_unfounded"),
        ("gold", {}, "delayed", 100, "delay_without_change"),
        ("gold", {"status": "cancelled"}, "delayed", 100, ""),
    ],
)
def test_compensation_follows_eligibility_facts_and_amount(membership, changes, status, amount, rule):
    statuses = {("F1", "2024-05-20"): status}
    arguments = {"user_id": USER, "amount": amount}
    found = ruling("send_certificate", arguments, trips=(trip(**changes),), who=user(membership=membership), statuses=statuses)
    assert found.rule == rule


def test_reasons_in_the_users_words_are_sorted_into_categories():
    assert reason_of({"reason": "I am sick and not able to fly"}) == "health"
    assert reason_of({"reason": "change of plan"}) == "change_of_plan"
    assert reason_of({"reason": "the airline cancelled the flight"}) == "airline_cancelled"
    assert reason_of({}) == "other"


def test_policy_text_names_every_rule_and_no_other():
    anchors = set(re.findall(r"\{#(\w+)\}", AIRLINE.policy))
    assert anchors == set(AIRLINE.rules)


def test_policy_text_is_no_copy_of_the_benchmarks(shared):
    theirs = (shared / "tau2-bench" / "airline" / "policy.md").read_text().lower()
    words = re.findall(r"[a-z0-9]+", AIRLINE.policy.lower())
    flat = " ".join(re.findall(r"[a-z0-9]+", theirs))
    runs = [" ".join(words[i : i + 12]) for i in range(len(words) - 11)]
    copied = [run for run in runs if run in flat and "transferred to a human agent" not in run]
    assert copied == []

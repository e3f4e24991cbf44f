"""Databases of a handful of records, small enough to read, in which every tool can succeed and be refused."""

from typing import Any

from writ.domains.airline.tools import AirlineTools
from writ.domains.database import Database
from writ.domains.retail.tools import RetailTools

ADDRESS = {"address1": "1 Elm Street", "address2": "", "city": "Denver", "country": "USA", "state": "CO", "zip": "80201"}
SEATS = {"basic_economy": 5, "economy": 2, "business": 0}
PRICES = {"basic_economy": 60, "economy": 110, "business": 400}


def variant(item_id: str, price: float, available: bool = True) -> dict[str, Any]:
    return {"item_id": item_id, "options": {"size": item_id}, "available": available, "price": price}


def order(order_id: str, status: str, *item_ids: str, paid_with: str = "paypal_1") -> dict[str, Any]:
    items = [{"name": "Kettle", "product_id": "p1", "item_id": i, "price": 10.1, "options": {"size": i}} for i in item_ids]
    return {
        "order_id": order_id,
        "user_id": "ann_1",
        "address": ADDRESS,
        "items": items,
        "status": status,
        "fulfillments": [],
        "payment_history": [{"transaction_type": "payment", "amount": 10.1 * len(items), "payment_method_id": paid_with}],
    }


def retail_tables() -> dict[str, Any]:
    methods = {
        "paypal_1": {"source": "paypal", "id": "paypal_1"},
        "gift_card_1": {"source": "gift_card", "id": "gift_card_1", "balance": 15},
    }
    user = {"name": {"first_name": "Ann", "last_name": "Lee"}, "address": ADDRESS, "payment_methods": methods}
    return {
        "products": {
            "p1": {"name": "Kettle", "product_id": "p1", "variants": {v["item_id"]: v for v in _kettles()}},
            "p2": {"name": "Apron", "product_id": "p2", "variants": {"a1": variant("a1", 7)}},
        },
        "users": {
            "ann_1": user | {"user_id": "ann_1", "email": "Ann@example.com", "orders": ["#W1", "#W2", "#W3"]},
            "ann_2": user | {"user_id": "ann_2", "email": "ann2@example.com", "orders": []},
        },
        "orders": {
            "#W1": order("#W1", "pending", "k1", "k2"),
            "#W2": order("#W2", "delivered", "k1", "k1"),
            "#W3": order("#W3", "pending", "k1", paid_with="gift_card_1"),
        },
    }


def _kettles() -> list[dict[str, Any]]:
    return [variant("k1", 10.1), variant("k2", 10.1), variant("k3", 12.3), variant("k4", 20.3), variant("k5", 1, available=False)]


def flight(number: str, origin: str, destination: str, leaves: str, lands: str) -> dict[str, Any]:
    open_day = {"status": "available", "available_seats": SEATS, "prices": PRICES}
    return {
        "flight_number": number,
        "origin": origin,
        "destination": destination,
        "scheduled_departure_time_est": leaves,
        "scheduled_arrival_time_est": lands,
        "dates": {"2024-05-14": {"status": "cancelled"}, "2024-05-20": open_day, "2024-05-21": open_day},
    }


def airline_tables() -> dict[str, Any]:
    methods = {
        "credit_card_1": {"source": "credit_card", "id": "credit_card_1", "brand": "visa", "last_four": "1111"},
        "gift_card_1": {"source": "gift_card", "id": "gift_card_1", "amount": 200},
        "certificate_1": {"source": "certificate", "id": "certificate_1", "amount": 100},
    }
    booked = {"flight_number": "HAT001", "origin": "SFO", "destination": "DEN", "date": "2024-05-20", "price": 100}
    ann = {"first_name": "Ann", "last_name": "Lee", "dob": "1990-01-02"}
    return {
        "flights": {
            "HAT001": flight("HAT001", "SFO", "DEN", "08:00:00", "10:00:00"),
            "HAT002": flight("HAT002", "DEN", "JFK", "11:00:00", "14:00:00"),
            "HAT003": flight("HAT003", "SFO", "DEN", "22:00:00", "01:00:00+1"),
        },
        "users": {
            "ann_1": {
                "user_id": "ann_1",
                "name": {"first_name": "Ann", "last_name": "Lee"},
                "address": ADDRESS,
                "email": "ann@example.com",
                "dob": "1990-01-02",
                "payment_methods": methods,
                "saved_passengers": [],
                "membership": "gold",
                "reservations": ["R1"],
            }
        },
        "reservations": {
            "R1": {
                "reservation_id": "R1",
                "user_id": "ann_1",
                "origin": "SFO",
                "destination": "DEN",
                "flight_type": "one_way",
                "cabin": "economy",
                "flights": [booked],
                "passengers": [ann],
                "payment_history": [{"payment_id": "credit_card_1", "amount": 100}],
                "created_at": "2024-05-01T10:00:00",
                "total_baggages": 1,
                "nonfree_baggages": 0,
                "insurance": "no",
            }
        },
    }


def retail_database() -> Database:
    return Database.from_tables(retail_tables(), RetailTools.shape)


def airline_database() -> Database:
    return Database.from_tables(airline_tables(), AirlineTools.shape)

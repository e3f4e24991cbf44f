"""What several airline tools find, check, compute and change: the part of the toolkit that is no tool itself."""

from collections.abc import Iterator
from itertools import product
from typing import Any

from pydantic import BaseModel

from writ.domains.airline.records import FlightDatabase, FlightInfo, Payment, Reservation
from writ.domains.database import Record, Tables, copied
from writ.domains.toolkit import Toolkit
from writ.errors import ToolRefused

NOW = "2024-05-15T15:00:00"
"""The benchmark's clock stands still here."""
NEW_RESERVATION_IDS = ("HATHAT", "HATHAU", "HATHAV")


class AirlineOperations(Toolkit):
    shape = FlightDatabase

    def _user(self, user_id: Any) -> Record:
        return self._found("users", user_id, f"User {user_id} not found")

    def _reservation(self, reservation_id: Any) -> Record:
        return self._found("reservations", reservation_id, f"Reservation {reservation_id} not found")

    def _flight(self, flight_number: Any) -> Record:
        return self._found("flights", flight_number, f"Flight {flight_number} not found")

    def _found(self, table: str, record_id: Any, refusal: str) -> Record:
        record = self.database.get(table, record_id)
        if record is None:
            raise ToolRefused(refusal)
        return record

    def _flight_date(self, flight_number: Any, date: Any) -> Record:
        dates: dict[str, Record] = self._flight(flight_number)["dates"]
        if date not in dates:
            raise ToolRefused(f"Flight {flight_number} not found on date {date}")
        return dates[date]

    def _offer(self, flight_number: str, date: str, cabin: Any, travellers: int) -> Record:
        """The flight as it will stand in a reservation, after checking that it can be booked for so many."""
        flight = self._flight(flight_number)
        day = self._flight_date(flight_number, date)
        if day["status"] != "available":
            raise ToolRefused(f"Flight {flight_number} not available on date {date}")
        if day["available_seats"][cabin] < travellers:
            raise ToolRefused(f"Not enough seats on flight {flight_number}")
        ends = {"origin": flight["origin"], "destination": flight["destination"]}
        return {"flight_number": flight_number, **ends, "date": date, "price": day["prices"][cabin]}

    def _kept(self, reservation: Record, cabin: Any, flight: FlightInfo) -> Record | None:
        """The reservation's own segment, at the price once paid, where flight, date and cabin stay."""
        segments: list[Record] = reservation["flights"]
        for segment in segments:
            if segment["flight_number"] == flight.flight_number and segment["date"] == flight.date and cabin == reservation["cabin"]:
                return segment
        return None

    def _flights_on(self, date: Any, origin: Any, destination: Any, leave_after: str | None = None) -> Iterator[Record]:
        """Bookable flights of a date in the database's order; None as an airport means any, and what is no text is no airport."""
        if not (isinstance(origin, str | None) and isinstance(destination, str | None)):
            return
        for flight_number in self.snapshot.memo("flights by ends", flights_by_ends).get((origin, destination), ()):
            flight = self._flight(flight_number)
            if date not in flight["dates"] or flight["dates"][date]["status"] != "available":
                continue
            if leave_after is None or flight["scheduled_departure_time_est"] >= leave_after:
                yield shown(flight, flight["dates"][date])

    def _drafted(self, **fields: Any) -> Record:
        """A new reservation without flights, not yet in the database; its model refuses what does not fit."""
        reservation_id = next((new for new in NEW_RESERVATION_IDS if self.database.get("reservations", new) is None), None)
        if reservation_id is None:
            raise ToolRefused("Too many reservations")
        return Reservation(reservation_id=reservation_id, flights=[], created_at=NOW, **fields).model_dump()

    def _check_payments(self, user: Record, payments: list[Payment], price: Any) -> None:
        methods = user["payment_methods"]
        for payment in payments:
            if payment.payment_id not in methods:
                raise ToolRefused(f"Payment method {payment.payment_id} not found")
            if methods[payment.payment_id].get("amount", payment.amount) < payment.amount:
                raise ToolRefused(f"Not enough balance in payment method {payment.payment_id}")
        paid = sum(payment.amount for payment in payments)
        if paid != price:
            raise ToolRefused(f"Payment amount does not add up, total price is {price}, but paid {paid}")

    def _take_payments(self, user_id: str, payments: list[Payment]) -> None:
        for payment in payments:
            methods = self.database.edit("users", user_id)["payment_methods"]
            source = methods[payment.payment_id]["source"]
            if source == "gift_card":
                methods[payment.payment_id]["amount"] -= payment.amount
            elif source == "certificate":
                del methods[payment.payment_id]
            # The published fault: a certificate listed twice is gone at its second turn; that is refused, but what was taken stays taken.
            self.database.mark()

    def _enter(self, reservation: Record) -> Record:
        """Put a new reservation into the database, and take its seats."""
        for segment in reservation["flights"]:
            day = self.database.edit("flights", segment["flight_number"], "dates", segment["date"])
            day["available_seats"][reservation["cabin"]] -= len(reservation["passengers"])
        self.database.insert("reservations", reservation["reservation_id"], reservation)
        self.database.edit("users", reservation["user_id"])["reservations"].append(reservation["reservation_id"])
        return reservation

    def _pay_update(self, user_id: str, payment_id: str, price: Any) -> list[Record]:
        """Settle what a change costs, or gives back where negative; what to add to the reservation's payments, nothing where the price is 0."""
        methods = self._user(user_id)["payment_methods"]
        if payment_id not in methods:
            raise ToolRefused("Payment method not found")
        source = methods[payment_id]["source"]
        if source == "certificate":
            raise ToolRefused("Certificate cannot be used to update reservation")
        if source == "gift_card" and methods[payment_id]["amount"] < price:
            raise ToolRefused("Gift card balance is not enough")
        if source == "gift_card":
            self.database.edit("users", user_id)["payment_methods"][payment_id]["amount"] -= price
            # The published fault: a price that is no whole number is refused below, but the card stays charged.
            self.database.mark()
        return [Payment(payment_id=payment_id, amount=price).model_dump()] if price != 0 else []


def shown(flight: Record, day: Record) -> Record:
    """A flight as a search shows it; only a one-stop search fills in the date."""
    ends = {key: flight[key] for key in ("flight_number", "origin", "destination")}
    times = {key: flight[key] for key in ("scheduled_departure_time_est", "scheduled_arrival_time_est")}
    return {**ends, "status": "available", **times, "date": None, "available_seats": day["available_seats"], "prices": day["prices"]}


def each_as(model: type[BaseModel], values: Any) -> Any:
    """Objects as models; where one of them is no object, all stay as they are, and fail later as they do in the benchmark."""
    if all(isinstance(value, dict) for value in values):
        return [model(**value) for value in values]
    return values


def as_json(value: Any) -> Any:
    """Models as objects again; whatever else an argument was, as a copy."""
    return [item.model_dump() if isinstance(item, BaseModel) else copied(item) for item in value] if isinstance(value, list) else copied(value)


def flights_by_ends(tables: Tables) -> dict[tuple[str | None, str | None], list[str]]:
    """Flight numbers by airports of departure and arrival, either of which may be None for any: no tool changes one."""
    numbers: dict[tuple[str | None, str | None], list[str]] = {}
    for number, flight in tables["flights"].items():
        for ends in product((flight["origin"], None), (flight["destination"], None)):
            numbers.setdefault(ends, []).append(number)
    return numbers

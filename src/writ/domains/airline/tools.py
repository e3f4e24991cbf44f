"""The airline tools: the benchmark's names, arguments, checks in their order, refusals and state changes, its faults included."""

from typing import Any

from writ.domains import calculator
from writ.domains.airline.operations import AirlineOperations, as_json, each_as
from writ.domains.airline.records import CabinClass, Certificate, FlightInfo, FlightType, Insurance, Passenger, Payment
from writ.domains.database import Record, copied
from writ.domains.toolkit import generic_tool, read_tool, write_tool
from writ.errors import ToolRefused

AIRPORTS = {
    "SFO": "San Francisco",
    "JFK": "New York",
    "LAX": "Los Angeles",
    "ORD": "Chicago",
    "DFW": "Dallas",
    "DEN": "Denver",
    "SEA": "Seattle",
    "ATL": "Atlanta",
    "MIA": "Miami",
    "BOS": "Boston",
    "PHX": "Phoenix",
    "IAH": "Houston",
    "LAS": "Las Vegas",
    "MCO": "Orlando",
    "EWR": "Newark",
    "CLT": "Charlotte",
    "MSP": "Minneapolis",
    "DTW": "Detroit",
    "PHL": "Philadelphia",
    "LGA": "LaGuardia",
}
NEW_CERTIFICATE_IDS = ("certificate_3221322", "certificate_3221323", "certificate_3221324")


class AirlineTools(AirlineOperations):
    @write_tool
    def book_reservation(
        self,
        user_id: str,
        origin: str,
        destination: str,
        flight_type: FlightType,
        cabin: CabinClass,
        flights: list[FlightInfo | dict[str, Any]],
        passengers: list[Passenger | dict[str, Any]],
        payment_methods: list[Payment | dict[str, Any]],
        total_baggages: int,
        nonfree_baggages: int,
        insurance: Insurance,
    ) -> Record:
        """Book a trip for one or more travellers. The payments must add up to the price exactly.

        Args:
            user_id: The user who books, for instance 'mia_garcia_1234'.
            origin: Airport where the trip starts, three letters, for instance 'SFO'.
            destination: Airport that the trip is for, three letters, for instance 'JFK'.
            flight_type: 'one_way' or 'round_trip'.
            cabin: 'basic_economy', 'economy' or 'business', for all flights.
            flights: Every flight of the trip in order, each with its date.
            passengers: Every traveller.
            payment_methods: What pays, and how much each; all must be in the user's profile.
            total_baggages: Number of checked bags of the whole trip.
            nonfree_baggages: How many of these bags are paid for.
            insurance: 'yes' or 'no'.
        """
        segments: list[FlightInfo] = each_as(FlightInfo, flights)
        travellers = each_as(Passenger, passengers)
        payments = each_as(Payment, payment_methods)
        user = self._user(user_id)
        trip = {"user_id": user_id, "origin": origin, "destination": destination, "flight_type": flight_type, "cabin": cabin}
        bags = {"total_baggages": total_baggages, "nonfree_baggages": nonfree_baggages}
        reservation = self._drafted(**trip, **bags, passengers=travellers, payment_history=payments, insurance=insurance)
        reservation["flights"] = [self._offer(flight.flight_number, flight.date, cabin, len(travellers)) for flight in segments]
        price = sum(flight["price"] for flight in reservation["flights"]) * len(travellers) + (30 * len(travellers) if insurance == "yes" else 0)
        price += 50 * nonfree_baggages
        self._check_payments(user, payments, price)
        self._take_payments(user_id, payments)
        return self._enter(reservation)

    @generic_tool
    def calculate(self, expression: str) -> str:
        """Work out an arithmetic expression, rounded to two decimals.

        Args:
            expression: What to work out, for instance '(120 + 5) * 2'. Digits, points, spaces, parentheses and the signs + - * / are understood.
        """
        return calculator.calculate(expression)

    @write_tool
    def cancel_reservation(self, reservation_id: str) -> Record:
        """Cancel a whole trip and refund what was paid for it.

        Args:
            reservation_id: The reservation's id, for instance 'ZFA04Y'.
        """
        self._reservation(reservation_id)
        reservation = self.database.edit("reservations", reservation_id)
        history = reservation["payment_history"]
        history += [{"payment_id": payment["payment_id"], "amount": -payment["amount"]} for payment in history]
        reservation["status"] = "cancelled"
        return reservation

    @read_tool
    def get_reservation_details(self, reservation_id: str) -> Record:
        """Show a reservation: flights, travellers, bags, payments, and whether it is cancelled.

        Args:
            reservation_id: The reservation's id, for instance '8JX2WO'.
        """
        return self._reservation(reservation_id)

    @read_tool
    def get_user_details(self, user_id: str) -> Record:
        """Show a user: name, contact, membership, payment methods, known travellers and the ids of all their reservations.

        Args:
            user_id: The user's id, for instance 'mia_garcia_1234'.
        """
        return self._user(user_id)

    @read_tool
    def list_all_airports(self) -> list[Record]:
        """List the airports that are served, with their cities."""
        return [{"iata": iata, "city": city} for iata, city in AIRPORTS.items()]

    @read_tool
    def search_direct_flight(self, origin: str, destination: str, date: str) -> list[Record]:
        """Find flights without a stop between two airports on a date, with seats and prices by cabin.

        Args:
            origin: Airport of departure, three letters, for instance 'JFK'.
            destination: Airport of arrival, three letters, for instance 'LAX'.
            date: Date of departure as YYYY-MM-DD, for instance '2024-05-16'.
        """
        return list(self._flights_on(date, origin, destination))

    @read_tool
    def search_onestop_flight(self, origin: str, destination: str, date: str) -> list[list[Record]]:
        """Find pairs of flights with one stop between two airports on a date, with seats and prices by cabin.

        Args:
            origin: Airport of departure, three letters, for instance 'JFK'.
            destination: Airport of arrival, three letters, for instance 'LAX'.
            date: Date of the first departure as YYYY-MM-DD, for instance '2024-05-16'.
        """
        pairs = []
        for first in self._flights_on(date, origin, None):
            arrival = first["scheduled_arrival_time_est"]
            # The published fault: the next day is counted within May and not padded, and the later time still carries its "+1".
            next_date = f"2024-05-{int(date[-2:]) + 1}" if "+1" in arrival else date
            for second in self._flights_on(next_date, first["destination"], destination, leave_after=arrival):
                pairs.append([first | {"date": date}, second | {"date": next_date}])
        return pairs

    @write_tool
    def send_certificate(self, user_id: str, amount: int) -> str:
        """Give a user a travel certificate. There is no way back, so be sure that the policy allows it.

        Args:
            user_id: The user's id, for instance 'mia_garcia_1234'.
            amount: Its worth in dollars.
        """
        methods = self._user(user_id)["payment_methods"]
        payment_id = next((new for new in NEW_CERTIFICATE_IDS if new not in methods), None)
        if payment_id is None:
            raise ToolRefused("Too many certificates")
        certificate = Certificate(id=payment_id, amount=amount, source="certificate")
        self.database.edit("users", user_id)["payment_methods"][payment_id] = certificate.model_dump()
        return f"Certificate {payment_id} added to user {user_id} with amount {amount}."

    @generic_tool
    def transfer_to_human_agents(self, summary: str) -> str:
        """Hand the user over to a human colleague.

        For two cases only: the user asks for a human in so many words, or policy and tools leave no way to solve the matter.

        Args:
            summary: What the user wants and what was done so far.
        """
        return "Transfer successful"

    @write_tool
    def update_reservation_baggages(self, reservation_id: str, total_baggages: int, nonfree_baggages: int, payment_id: str) -> Record:
        """Change the number of checked bags of a reservation; each further paid bag costs 50 dollars.

        Args:
            reservation_id: The reservation's id, for instance 'ZFA04Y'.
            total_baggages: Number of checked bags from now on.
            nonfree_baggages: How many of these bags are paid for.
            payment_id: What pays, a credit card or gift card of the user's profile, for instance 'credit_card_1234567'.
        """
        reservation = self._reservation(reservation_id)
        price = 50 * max(0, nonfree_baggages - reservation["nonfree_baggages"])
        payments = self._pay_update(reservation["user_id"], payment_id, price)
        reservation = self.database.edit("reservations", reservation_id)
        reservation["payment_history"] += payments
        reservation["total_baggages"] = copied(total_baggages)
        reservation["nonfree_baggages"] = nonfree_baggages
        return reservation

    @write_tool
    def update_reservation_flights(
        self, reservation_id: str, cabin: CabinClass, flights: list[FlightInfo | dict[str, Any]], payment_id: str
    ) -> Record:
        """Change flights or cabin of a reservation, and pay or get back the difference.

        Args:
            reservation_id: The reservation's id, for instance 'ZFA04Y'.
            cabin: 'basic_economy', 'economy' or 'business', for all flights.
            flights: Every flight that the trip will have, those that stay included, each with its date.
            payment_id: What pays or is refunded, a credit card or gift card of the user's profile, for instance 'credit_card_1234567'.
        """
        segments: list[FlightInfo] = each_as(FlightInfo, flights)
        reservation = self._reservation(reservation_id)
        self._user(reservation["user_id"])
        travellers = len(reservation["passengers"])
        chosen = [self._kept(reservation, cabin, flight) or self._offer(flight.flight_number, flight.date, cabin, travellers) for flight in segments]
        price = (sum(flight["price"] for flight in chosen) - sum(flight["price"] for flight in reservation["flights"])) * travellers
        payments = self._pay_update(reservation["user_id"], payment_id, price)
        reservation = self.database.edit("reservations", reservation_id)
        reservation["payment_history"] += payments
        reservation["flights"] = copied(chosen)
        reservation["cabin"] = copied(cabin)
        return reservation

    @write_tool
    def update_reservation_passengers(self, reservation_id: str, passengers: list[Passenger | dict[str, Any]]) -> Record:
        """Change who travels on a reservation; their number stays.

        Args:
            reservation_id: The reservation's id, for instance 'ZFA04Y'.
            passengers: Every traveller that the reservation will have.
        """
        travellers = each_as(Passenger, passengers)
        reservation = self._reservation(reservation_id)
        if len(travellers) != len(reservation["passengers"]):
            raise ToolRefused("Number of passengers does not match")
        reservation = self.database.edit("reservations", reservation_id)
        reservation["passengers"] = as_json(travellers)
        return reservation

    @read_tool
    def get_flight_status(self, flight_number: str, date: str) -> str:
        """Show what has become of a flight on a date.

        Args:
            flight_number: The flight's number, for instance 'HAT001'.
            date: Date of departure as YYYY-MM-DD.
        """
        status: str = self._flight_date(flight_number, date)["status"]
        return status

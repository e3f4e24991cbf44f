"""The shapes of the airline database's records: fields, their order in results, and their JSON types, as the benchmark has them.

Class names and types show in the texts of refused arguments, so they are the benchmark's too. Unknown fields of a file are ignored, as there.
"""

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

FlightType = Literal["round_trip", "one_way"]
CabinClass = Literal["business", "economy", "basic_economy"]
Insurance = Literal["yes", "no"]


# These three are arguments of tools too. Without docstrings, since a schema would show them to the agent.
class FlightInfo(BaseModel):
    flight_number: str = Field(description="The flight's number, for instance 'HAT001'.")
    date: str = Field(description="Date of departure as YYYY-MM-DD, for instance '2024-05-01'.")


class Passenger(BaseModel):
    first_name: str = Field(description="First name of the traveller.")
    last_name: str = Field(description="Last name of the traveller.")
    dob: str = Field(description="Date of birth as YYYY-MM-DD.")


class Payment(BaseModel):
    payment_id: str = Field(description="Id of one of the user's payment methods.")
    amount: int = Field(description="How many whole dollars it pays.")


class Name(BaseModel):
    first_name: str
    last_name: str


class Address(BaseModel):
    address1: str
    address2: str | None = None
    city: str
    country: str
    state: str
    zip: str


class CreditCard(BaseModel):
    source: Literal["credit_card"]
    id: str
    brand: str
    last_four: str


class GiftCard(BaseModel):
    source: Literal["gift_card"]
    id: str
    amount: float


class Certificate(BaseModel):
    source: Literal["certificate"]
    id: str
    amount: float


class User(BaseModel):
    user_id: str
    name: Name
    address: Address
    email: str
    dob: str
    payment_methods: dict[str, CreditCard | GiftCard | Certificate]
    saved_passengers: list[Passenger]
    membership: Literal["gold", "silver", "regular"]
    reservations: list[str]


class Available(BaseModel):
    """A flight-date that can be booked; seats and prices by cabin."""

    status: Literal["available"]
    available_seats: dict[CabinClass, int]
    prices: dict[CabinClass, int]


class Landed(BaseModel):
    status: Literal["landed"]
    actual_departure_time_est: str
    actual_arrival_time_est: str


class Cancelled(BaseModel):
    status: Literal["cancelled"]


class Delayed(BaseModel):
    status: Literal["delayed"]
    estimated_departure_time_est: str
    estimated_arrival_time_est: str


class Flying(BaseModel):
    status: Literal["flying"]
    actual_departure_time_est: str
    estimated_arrival_time_est: str


class OnTime(BaseModel):
    status: Literal["on time"]
    estimated_departure_time_est: str
    estimated_arrival_time_est: str


class Flight(BaseModel):
    """A flight number and what becomes of it on each date; "01:30:00+1" is a time of the next day."""

    flight_number: str
    origin: str
    destination: str
    scheduled_departure_time_est: str
    scheduled_arrival_time_est: str
    dates: dict[str, Available | Landed | Cancelled | Delayed | Flying | OnTime]


class ReservationFlight(BaseModel):
    flight_number: str
    origin: str
    destination: str
    date: str
    price: int


class Reservation(BaseModel):
    reservation_id: str
    user_id: str
    origin: str
    destination: str
    flight_type: FlightType
    cabin: CabinClass
    flights: list[ReservationFlight]
    passengers: list[Passenger]
    payment_history: list[Payment]
    created_at: str
    total_baggages: int
    nonfree_baggages: int
    insurance: Insurance
    status: Literal["cancelled"] | None = None


class FlightDatabase(BaseModel):
    model_config = ConfigDict(extra="forbid")

    flights: dict[str, Flight]
    users: dict[str, User]
    reservations: dict[str, Reservation]

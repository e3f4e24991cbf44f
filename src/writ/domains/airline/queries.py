"""The airline's reads as calls."""

from functools import lru_cache

from writ.schema import Call


@lru_cache(maxsize=65536)
def profile(user_id: str) -> Call:
    return Call(name="get_user_details", arguments={"user_id": user_id})


@lru_cache(maxsize=65536)
def reservation(reservation_id: str) -> Call:
    return Call(name="get_reservation_details", arguments={"reservation_id": reservation_id})


@lru_cache(maxsize=65536)
def status(flight_number: str, date: str) -> Call:
    return Call(name="get_flight_status", arguments={"flight_number": flight_number, "date": date})


@lru_cache(maxsize=65536)
def direct(origin: str, destination: str, date: str) -> Call:
    return Call(name="search_direct_flight", arguments={"origin": origin, "destination": destination, "date": date})


@lru_cache(maxsize=65536)
def onestop(origin: str, destination: str, date: str) -> Call:
    return Call(name="search_onestop_flight", arguments={"origin": origin, "destination": destination, "date": date})

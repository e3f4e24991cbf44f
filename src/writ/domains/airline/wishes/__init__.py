"""Every kind of wish that the airline's users have. A kind without tools only holds wishes that the policy is against."""

from collections.abc import Mapping

from writ.domains.airline.wishes.bags import AddBags
from writ.domains.airline.wishes.book import BookFlight
from writ.domains.airline.wishes.cancel import CancelEvery, CancelTrip
from writ.domains.airline.wishes.change_cabin import ChangeCabin
from writ.domains.airline.wishes.change_flights import ChangeFlights
from writ.domains.airline.wishes.compensation import Compensation, CompensationSomewhere
from writ.domains.airline.wishes.impossible import ImpossibleChange, OutOfScope
from writ.domains.airline.wishes.passengers import ChangePassengers
from writ.domains.airline.wishes.refusals import (
    BagsRefused,
    BookRefused,
    CancelRefused,
    ChangeCabinRefused,
    ChangeFlightsRefused,
    CompensationRefused,
    PassengersRefused,
)
from writ.domains.base import WishKind

_ALL: tuple[WishKind, ...] = (
    BookFlight(),
    CancelTrip(),
    CancelEvery(),
    ChangeFlights(),
    ChangeCabin(),
    AddBags(),
    ChangePassengers(),
    Compensation(),
    CompensationSomewhere(),
    BookRefused(),
    CancelRefused(),
    ChangeFlightsRefused(),
    ChangeCabinRefused(),
    BagsRefused(),
    PassengersRefused(),
    CompensationRefused(),
    ImpossibleChange(),
    OutOfScope(),
)

KINDS: Mapping[str, WishKind] = {kind.name: kind for kind in _ALL}

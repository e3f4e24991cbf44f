"""Every kind of wish that the airline's users have."""

from collections.abc import Mapping

from writ.domains.airline.wishes.bags import AddBags
from writ.domains.airline.wishes.book import BookFlight
from writ.domains.airline.wishes.cancel import CancelEvery, CancelTrip
from writ.domains.airline.wishes.change_cabin import ChangeCabin
from writ.domains.airline.wishes.change_flights import ChangeFlights
from writ.domains.airline.wishes.passengers import ChangePassengers
from writ.domains.base import WishKind

KINDS: Mapping[str, WishKind] = {
    kind.name: kind for kind in (BookFlight(), CancelTrip(), CancelEvery(), ChangeFlights(), ChangeCabin(), AddBags(), ChangePassengers())
}

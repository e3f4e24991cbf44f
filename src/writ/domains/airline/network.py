"""The route network of a database, indexed once: who flies where, and on which dates seats are sold."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from writ.domains.database import Tables
from writ.domains.environment import Environment


@dataclass(frozen=True, slots=True)
class Network:
    """Facts that no tool changes."""

    direct: Mapping[str, tuple[str, ...]]
    """Airports reached from an airport without a stop, once per pair."""
    onward: Mapping[str, tuple[str, ...]]
    """Airports reached from an airport with one stop."""
    into: Mapping[str, tuple[str, ...]]
    """Airports with a flight, direct or one-stop, to an airport."""
    flights: Mapping[tuple[str, str], tuple[str, ...]]
    """Flight numbers of a pair of airports."""
    departures: Mapping[str, str]
    """Scheduled time of departure by flight number."""
    dates: tuple[str, ...]
    """Dates with seats for sale, in order."""

    @property
    def origins(self) -> Sequence[str]:
        return tuple(self.direct)

    def serves(self, origin: str, destination: str, stops: str) -> bool:
        direct = destination in self.direct.get(origin, ())
        return direct if stops == "direct" else direct or destination in self.onward.get(origin, ())


def network(world: Environment) -> Network:
    return world.state.database.memo("airline_network", _built)


def _built(tables: Tables) -> Network:
    direct: defaultdict[str, dict[str, None]] = defaultdict(dict)
    flights: defaultdict[tuple[str, str], list[str]] = defaultdict(list)
    dates: set[str] = set()
    for number, flight in tables["flights"].items():
        direct[flight["origin"]][flight["destination"]] = None
        flights[flight["origin"], flight["destination"]].append(number)
        dates |= {date for date, day in flight["dates"].items() if day["status"] == "available"}
    onward = {origin: _onward(origin, direct) for origin in list(direct)}
    into: defaultdict[str, dict[str, None]] = defaultdict(dict)
    for origin in direct:
        for destination in (*direct[origin], *onward[origin]):
            into[destination][origin] = None
    departures = {number: flight["scheduled_departure_time_est"] for number, flight in tables["flights"].items()}
    by_pair = {pair: tuple(numbers) for pair, numbers in flights.items()}
    return Network(_frozen(direct), onward, _frozen(into), by_pair, departures, tuple(sorted(dates)))


def _onward(origin: str, direct: Mapping[str, Any]) -> tuple[str, ...]:
    ends = (end for stop in direct[origin] for end in direct.get(stop, ()))
    return tuple(dict.fromkeys(end for end in ends if end != origin))


def _frozen(table: Mapping[str, Mapping[str, None]]) -> dict[str, tuple[str, ...]]:
    return {key: tuple(values) for key, values in table.items()}

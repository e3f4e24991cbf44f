"""The scripted model for every run of a store: what a cluster without GPUs serves where others serve weights."""

import asyncio
import re
from collections import OrderedDict
from collections.abc import Callable, Mapping
from typing import Any

from writ.artifacts import read_manifest, read_records
from writ.domains.registry import open_domain
from writ.errors import Unavailable
from writ.llm import server as front
from writ.schema import DomainSnapshot, Instruction
from writ.simulation.address import parsed
from writ.simulation.scripted.server import Scripted
from writ.storage import Store

HELD = 8
"""Artifacts of instructions held at once; the one that was asked for longest ago goes first."""
_MANIFEST = re.compile(r"((?:[\w.=@+-]+/)*)instructions/([0-9a-f]{16})/manifest\.json")


class EveryRun:
    """Answers for every `instructions` artifact at a URL or in a folder below it. They are looked up when a conversation that is new first asks."""

    def __init__(self, opened: Callable[[str], Store], rates: Mapping[str, float]) -> None:
        """`opened` gives the store of a folder (empty: all), as runs have them: `first/` below the URL."""
        self._opened, self._rates = opened, rates
        self._places: dict[str, tuple[str, str]] = {}
        """Instruction -> folder and key of its artifact; of all artifacts that were seen."""
        self._held: OrderedDict[tuple[str, str], Scripted] = OrderedDict()
        self._looking = asyncio.Lock()
        self._anyone = Scripted({}, dict[str, Instruction]().__getitem__)
        """Speaks to whoever asks whether the server is ready, and tells those who name no known conversation."""

    async def __call__(self, body: dict[str, Any]) -> front.Reply:
        try:
            wanted = parsed(str(body.get("user", ""))).instruction_id
        except ValueError:
            return self._anyone.reply(body)
        place = self._places.get(wanted)
        if place is None or place not in self._held:
            async with self._looking:
                try:
                    await asyncio.to_thread(self._look, wanted)
                except Unavailable as error:
                    return front.error_reply(503, str(error), code="store_away", headers=(("Retry-After", "2"),))
            place = self._places.get(wanted)
        if place is None:
            return self._anyone.reply(body)
        self._held.move_to_end(place)
        return self._held[place].reply(body)

    def _look(self, wanted: str) -> None:
        """Sees to it that the wanted instruction's artifact is held, if there is one."""
        if wanted not in self._places:
            seen = set(self._places.values())
            for name in self._opened("").list(""):
                found = _MANIFEST.fullmatch(name)
                place = (found[1], found[2]) if found else None
                if place and place not in seen:
                    self._places.update(dict.fromkeys(self._told(place), place))
        place = self._places.get(wanted)
        if place and place not in self._held:
            self._held[place] = self._scripted(place)
            while len(self._held) > HELD:
                self._held.popitem(last=False)

    def _told(self, place: tuple[str, str]) -> dict[str, Instruction]:
        store = self._opened(place[0])
        manifest = read_manifest(store, "instructions", place[1])
        return {each.id: each for each in read_records(store, manifest, Instruction)} if manifest else {}

    def _scripted(self, place: tuple[str, str]) -> Scripted:
        store = self._opened(place[0])
        manifest = read_manifest(store, "instructions", place[1])
        domain = read_manifest(store, "domain", manifest.inputs["domain"]) if manifest else None
        sites = {each.name: open_domain(each) for each in read_records(store, domain, DomainSnapshot)} if domain else {}
        return Scripted(sites, self._told(place).__getitem__, self._rates)

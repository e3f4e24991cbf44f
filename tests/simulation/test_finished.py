"""Where finished conversations wait."""

import asyncio

import pytest
from test_engine import batches, play

from writ.simulation.finished import Shelf


@pytest.mark.parametrize("in_memory", [0, 1, 100])
def test_a_shelf_gives_back_what_was_put_wherever_it_holds_it(in_memory: int):
    trajectories = asyncio.run(play(batches(1, wanted=3, size=3)))
    shelf = Shelf(in_memory)
    for trajectory in trajectories:
        shelf.put(trajectory)
    assert [shelf.get(each.id) for each in trajectories] == trajectories
    assert [shelf.take(each.id) for each in reversed(trajectories)] == trajectories[::-1]
    assert shelf.get(trajectories[0].id) is None
    with pytest.raises(KeyError):
        shelf.take(trajectories[0].id)
    shelf.close()

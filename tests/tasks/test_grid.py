"""How a wanted number is dealt over the grid."""

from itertools import permutations

from writ.schema import Cell
from writ.settings import TasksConfig
from writ.tasks.grid import Bucket, kind_of, quotas

CELLS = [(declined, writes, burden) for declined in (False, True) for writes in range(4) for burden in (2, 7) if writes or declined]
CAPACITY = {
    Bucket(kind_of(declined, writes, burden), pair, Cell(domain, writes, str(burden), "t")): 90
    for domain in ("retail", "airline")
    for declined, writes, burden in CELLS
    for pair in (False, True)
    if not pair or kind_of(declined, writes, burden) == "read_heavy"
}


def test_quotas_do_not_depend_on_the_order_in_which_the_mix_is_written() -> None:
    """The key of the tasks does not either; and where order matters, so does the version of Python, whose `sum` of floats changed in 3.12."""
    mix = TasksConfig().mix
    dealt = {tuple(quotas(80, CAPACITY, TasksConfig(mix=dict(order)), ("retail", "airline"), 0)) for order in permutations(mix.items())}
    assert len(dealt) == 1


def test_cells_that_hold_several_tasks_are_filled_before_those_that_hold_few() -> None:
    many = {Bucket("normal", False, Cell("retail", 1, "2-3", f"many{number}")): 5 for number in range(6)}
    few = {Bucket("normal", False, Cell("retail", 1, "2-3", f"few{number}")): 4 for number in range(6)}
    for seed in range(3):
        dealt = {quota.bucket: quota.wanted for quota in quotas(8, many | few, TasksConfig(), ("retail",), seed)}
        assert many.keys() <= dealt.keys()
        assert max(dealt.values()) == 1

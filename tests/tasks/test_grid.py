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


def test_every_well_filled_cell_of_a_wanted_kind_gets_one_where_the_count_holds_two_for_each() -> None:
    refusals = {Bucket("refusal", False, Cell("retail", writes, "2-3", f"rule{number}")): 5 for number in range(30) for writes in (0, 1)}
    normal = {Bucket("normal", False, Cell("retail", 1, "2-3", f"tool{number}")): 50 for number in range(10)}
    cells = refusals | normal

    def dealt(count: int, config: TasksConfig) -> dict[Bucket, int]:
        return {quota.bucket: quota.wanted for quota in quotas(count, cells, config, ("retail",), 0)}

    enough = dealt(2 * len(cells), TasksConfig(mix={"refusal": 0.15, "normal": 0.85}))
    assert enough.keys() == cells.keys()
    assert sum(enough.values()) == 2 * len(cells)
    fewer = dealt(2 * len(cells) - 1, TasksConfig(mix={"refusal": 0.15, "normal": 0.85}))
    assert sum(number for bucket, number in fewer.items() if bucket.kind == "refusal") <= 0.15 * (2 * len(cells) - 1)
    assert dealt(2 * len(cells), TasksConfig(mix={"refusal": 0, "normal": 1})).keys() == normal.keys()

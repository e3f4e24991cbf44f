"""The house keeps its layers: imports point down only, siblings meet as artifacts, one vendor lives in one module."""

import ast
from collections import Counter
from pathlib import Path

import pytest

SOURCE = Path(__file__).parent.parent / "src" / "writ"

LAYERS = {
    "schema": 0,
    "errors": 0,
    "storage": 1,
    "llm": 1,
    "jobs": 1,
    "settings": 1,
    "artifacts": 2,
    "streams": 2,
    "domains": 2,
    "tasks": 3,
    "instructions": 3,
    "simulation": 3,
    "verification": 3,
    "dataset": 3,
    "training": 3,
    "scoring": 3,
    "report": 3,
    "pipeline": 4,
    "runners": 5,
    "commands": 6,
    "cli": 6,
    "__main__": 7,
    "__init__": 0,
}

VENDORS = {
    "boto3": {"storage"},
    "botocore": {"storage"},
    "aiohttp": {"llm"},
    "kubernetes": {"runners", "jobs"},
    "argo_workflows": {"runners"},
    "prometheus_client": {"runners"},
    "opentelemetry": {"runners"},
}


def modules():
    return sorted(SOURCE.rglob("*.py"))


def room(path):
    return path.relative_to(SOURCE).parts[0].removesuffix(".py")


def imported(path):
    """Every absolute import in a file, those inside functions and strings of the stage table left out or in as they are code."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path} imports relatively"
            yield node.module


@pytest.mark.parametrize("path", modules(), ids=lambda path: str(path.relative_to(SOURCE)))
def test_imports_point_down_only_and_siblings_never_import_each_other(path):
    mine = room(path)
    for name in imported(path):
        parts = name.split(".")
        if parts[0] != "writ" or len(parts) == 1:
            continue
        theirs = parts[1]
        if theirs == mine:
            continue
        lazy = mine == "pipeline" and theirs in ("simulation", "verification")  # the one place that composes stages, and points down
        same_layer_below_three = LAYERS[theirs] == LAYERS[mine] < 3 or LAYERS[mine] == LAYERS[theirs] >= 4
        assert LAYERS[theirs] < LAYERS[mine] or same_layer_below_three or lazy, f"{mine} (layer {LAYERS[mine]}) imports {name}"


def test_every_room_has_a_layer():
    assert {room(path) for path in modules()} <= set(LAYERS)


@pytest.mark.parametrize("vendor", sorted(VENDORS))
def test_a_vendor_is_imported_in_its_own_room_only(vendor):
    users = {room(path) for path in modules() for name in imported(path) if name.split(".")[0] == vendor}
    assert users <= VENDORS[vendor]


def test_the_environment_is_read_by_the_command_line_alone():
    readers = {room(path) for path in modules() if "os.environ" in path.read_text() or "getenv" in path.read_text()}
    assert readers <= {"commands", "cli"}


def test_no_room_below_the_command_line_prints():
    printers = {
        str(path.relative_to(SOURCE))
        for path in modules()
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "print"
    }
    assert {printer.split("/")[0] for printer in printers} <= {"commands", "cli.py"}


def test_every_test_file_has_a_name_of_its_own():
    """Two of one name cannot be collected together, and each passes alone."""
    names = Counter(path.name for path in Path(__file__).parent.rglob("*.py") if path.name not in {"conftest.py", "__init__.py"})
    assert [name for name, number in names.items() if number > 1] == []

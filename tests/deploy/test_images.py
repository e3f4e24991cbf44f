"""The images, read as text: what each target promises, and that everything writ imports is installed in them."""

from __future__ import annotations

import ast
import importlib.util
import json
import re
import subprocess
import sys
from importlib import metadata
from types import ModuleType

import pytest
from deploy_files import ROOT, documents

DOCKERFILE = (ROOT / "images/Dockerfile").read_text()
STAGES = re.findall(r"^FROM (\S+) AS (\S+)$", DOCKERFILE, re.MULTILINE)
IMAGES = [name for base, name in STAGES if base.startswith(("${RUNTIME", "ground-")) and not name.startswith("runtime")]
KINDS = dict(re.findall(r"/opt/more/(\w+)=([\w,-]+)", DOCKERFILE))
"""Kind of image -> the distributions that it holds beyond those of all."""


def test_every_image_that_a_workflow_names_is_a_target() -> None:
    named = set(re.findall(r"ghcr\.io/writ-project/writ-([a-z-]+):", (ROOT / "argo/templates/writ-stages.yaml").read_text()))
    assert named <= set(IMAGES)


def test_base_image_is_pinned_by_digest() -> None:
    assert re.search(r"^ARG BASE=\S+@sha256:[0-9a-f]{64}$", DOCKERFILE, re.MULTILINE)


def test_images_run_as_a_number_that_is_not_root() -> None:
    assert re.findall(r"^USER (.+)$", DOCKERFILE, re.MULTILINE) == ["10001:10001"]


def test_libraries_are_installed_by_hash() -> None:
    assert "--require-hashes --requirement /build/core.txt" in DOCKERFILE


def test_every_image_has_an_exec_entry_point_and_a_title() -> None:
    for name in IMAGES:
        body = DOCKERFILE.split(f" AS {name}\n", 1)[1].split("\nFROM ", 1)[0]
        entry = re.search(r"^ENTRYPOINT (.+)$", body, re.MULTILINE)
        assert entry, name
        assert json.loads(entry[1])[0] == "/opt/writ/bin/writ"
        assert f'title="writ-{name}"' in body


def test_entry_points_are_the_commands_that_workflows_state() -> None:
    stages = next(d for d in documents("argo/templates") if d["metadata"]["name"] == "writ-stages")
    for template in stages["spec"]["templates"]:
        name = template["container"]["image"].rsplit("writ-", 1)[1].split(":")[0]
        body = DOCKERFILE.split(f" AS {name}\n", 1)[1]
        entry = json.loads(re.search(r"^ENTRYPOINT (.+)$", body, re.MULTILINE)[1])  # type: ignore[index]
        assert template["container"]["command"][:2] == ["writ", entry[1]]


def test_every_library_that_writ_imports_is_among_the_requirements_of_its_images() -> None:
    pinned = {m.lower().replace("_", "-") for m in re.findall(r"^([A-Za-z0-9._-]+)==", (ROOT / "requirements/core.txt").read_text(), re.MULTILINE)}
    owners = metadata.packages_distributions()
    missing = {
        (path.name, name)
        for path in (ROOT / "src/writ").rglob("*.py")
        if "training" not in path.parts and path.name not in ("ablate.py", "together.py")  # they need requirements/train.txt
        for name in imported(ast.parse(path.read_text()))
        if not {d.lower().replace("_", "-") for d in owners.get(name, [name])} & pinned
    }
    assert missing == set()


def imported(tree: ast.Module) -> set[str]:
    """Top-level names of third parties that run when the module is imported or called; not those for type checkers alone."""
    for node in ast.walk(tree):
        if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test):
            node.body = []
    modules = [a.name for n in ast.walk(tree) if isinstance(n, ast.Import) for a in n.names]
    modules += [n.module for n in ast.walk(tree) if isinstance(n, ast.ImportFrom) and n.module and not n.level]
    return {m.split(".")[0] for m in modules} - set(sys.stdlib_module_names) - {"writ"}


@pytest.mark.long
def test_pods_import_nothing_that_their_image_leaves_out() -> None:
    split, lock = program("split"), (ROOT / "requirements/core.txt").read_text()
    requires, owners = split.required(), metadata.packages_distributions()
    missing = {kind: split.alone(roots.split(","), lock, requires) for kind, roots in KINDS.items()}
    modules = {kind: sorted(m for m, each in owners.items() if {split.normal(d) for d in each} & names) for kind, names in missing.items()}
    assert "pyarrow" in modules["dataset"]
    assert "kubernetes" in modules["cluster"]
    script = """
import json, sys
hidden = json.loads(sys.argv[1])
sys.modules.update(dict.fromkeys([*hidden["cluster"], *hidden["dataset"]]))
from writ.cli import VERBS, app
from writ.pipeline import ATTEMPTS, SCORES, STAGES
for name in ("pod", "model", "stage"):
    app.get_command(None, name)
for stage in (*STAGES, ATTEMPTS, SCORES):
    if stage.name != "dataset":
        stage.load()
import writ.runners.scripted, writ.storage.s3, writ.llm.openai
for name in hidden["dataset"]:
    del sys.modules[name]
next(stage for stage in STAGES if stage.name == "dataset").load()
"""
    done = subprocess.run([sys.executable, "-c", script, json.dumps(modules)], capture_output=True, text=True, check=False, env=HERE)
    assert done.returncode == 0, done.stderr


HERE = {"PYTHONPATH": str(ROOT / "src")}


def program(name: str) -> ModuleType:
    spec = importlib.util.spec_from_file_location(f"image_{name}", ROOT / f"images/{name}.py")
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_bill_of_materials_names_python_distributions_and_is_the_same_each_time() -> None:
    bills = program("sbom")
    first, second = (bills.bill(list(bills.python_components()), 1_700_000_000) for _ in range(2))
    assert first == second
    assert any(c["purl"].startswith("pkg:pypi/pydantic@") for c in first["components"])
    assert first["metadata"]["timestamp"] == "2023-11-14T22:13:20+00:00"


def test_bill_of_materials_names_debian_packages_that_are_installed(tmp_path) -> None:
    status = tmp_path / "status"
    status.write_text(
        "Package: libc6\nStatus: install ok installed\nArchitecture: amd64\nVersion: 2.41-12\nDescription: C\n library\n\n"
        "Package: gone\nStatus: deinstall ok config-files\nArchitecture: amd64\nVersion: 1\n"
    )
    assert [c["purl"] for c in program("sbom").debian_components(status)] == ["pkg:deb/debian/libc6@2.41-12?arch=amd64"]

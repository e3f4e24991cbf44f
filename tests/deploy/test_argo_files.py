"""The hand-written Workflows: they pass our linter and the strict form of Argo's own schemas, and each rule catches what it is for."""

from __future__ import annotations

import copy
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from argo_lint import lint
from deploy_files import CACHE, ROOT, SHARED, documents
from strict_crds import faults, validators

Documents = list[dict[str, Any]]
CRDS = {"4.1.2": SHARED / "argo-crds", "4.0.7": CACHE / "src/argo-4.0.7/manifests/base/crds/full"}


@pytest.fixture(scope="module")
def argo_documents() -> Documents:
    return documents("argo")


@pytest.fixture(params=sorted(CRDS), scope="module")
def crds(request: pytest.FixtureRequest) -> dict[str, Any]:
    folder: Path = CRDS[request.param]
    if not folder.is_dir():
        pytest.skip(f"the CRDs of Argo {request.param} are not on this machine ({folder.name} is absent)")
    return validators(folder)


def test_argo_files_as_committed_have_no_findings(argo_documents: Documents) -> None:
    assert lint(argo_documents) == []


@pytest.mark.long
def test_argo_files_as_committed_hold_only_fields_that_argo_knows(argo_documents: Documents, crds: dict[str, Any]) -> None:
    checked = [d for d in argo_documents if d["kind"] in crds]
    assert {d["kind"] for d in checked} >= {"Workflow", "WorkflowTemplate", "CronWorkflow"}
    assert {d["metadata"].get("name", d["kind"]): f for d in checked if (f := faults(crds[d["kind"]], d))} == {}


@pytest.mark.long
def test_strict_schemas_given_a_misspelt_field_refuse_it(argo_documents: Documents, crds: dict[str, Any]) -> None:
    stages = copy.deepcopy(_named(argo_documents, "writ-stages"))
    stages["spec"]["templates"][0]["retryStrategi"] = {}
    assert any("retryStrategi" in f for f in faults(crds["WorkflowTemplate"], stages))


def test_argo_files_hold_no_bare_word_that_yaml_1_1_reads_as_a_boolean() -> None:
    bare = re.compile(r"(?:[:\[,]|- )\s*(?:y|n|yes|no|on|off)\s*(?:[,\]}#]|$)", re.IGNORECASE | re.MULTILINE)
    found = [p.name for p in (ROOT / "argo").rglob("*.yaml") if bare.search(re.sub(r"#.*", "", p.read_text()))]
    assert found == []


def test_leaf_templates_name_one_image_per_stage(argo_documents: Documents) -> None:
    leaves = _named(argo_documents, "writ-stages")["spec"]["templates"]
    images = {t["name"]: t["container"]["image"].rsplit("/", 1)[1].split(":")[0] for t in leaves}
    assert images == {n: f"writ-{'plan' if n == 'release' else n.removesuffix('-tuned')}" for n in images}


def _named(found: Documents, name: str) -> dict[str, Any]:
    return next(d for d in found if d["metadata"].get("name") == name)


def _leaf(found: Documents, name: str) -> dict[str, Any]:
    return next(t for t in _named(found, "writ-stages")["spec"]["templates"] if t["name"] == name)


def _task(found: Documents, name: str) -> dict[str, Any]:
    dag = _named(found, "writ-pipeline")["spec"]["templates"][0]["dag"]
    return next(t for t in dag["tasks"] if t["name"] == name)


def _pipeline(found: Documents) -> dict[str, Any]:
    spec: dict[str, Any] = _named(found, "writ-pipeline")["spec"]
    return spec


BREAKAGES: dict[str, tuple[Callable[[Documents], Any], str]] = {
    "an entrypoint that is not there": (lambda d: _pipeline(d).update(entrypoint="pipelin"), "no template is called so"),
    "a call to a template that is not there": (lambda d: _task(d, "verify")["templateRef"].update(template="verfy"), "which is not there"),
    "a misspelt parameter": (lambda d: _task(d, "simulate")["arguments"]["parameters"][0].update(name="shrad"), "has no input 'shrad'"),
    "a parameter that is missing": (lambda d: _task(d, "simulate")["arguments"]["parameters"].pop(), "needs parameter 'shard'"),
    "an artifact that no one asked for": (
        lambda d: _task(d, "report")["arguments"]["artifacts"][0].update(name="upstrem"),
        "artifacts has no input 'upstrem'",
    ),
    "an output that no task has": (
        lambda d: _task(d, "simulate").update(withParam="{{tasks.plan.outputs.parameters.shard}}"),
        "{{tasks.plan.outputs.parameters.shard}} resolves to nothing",
    ),
    "a variable that does not exist": (lambda d: _leaf(d, "tasks")["container"]["args"].append("{{workflow.id}}"), "resolves to nothing"),
    "an input inside an expression that does not exist": (
        lambda d: _leaf(d, "tasks").update(podSpecPatch="{{=inputs.parameters['memory']}}"),
        "{{inputs.parameters.memory}} resolves to nothing",
    ),
    "a workflow parameter that the pipeline does not declare": (
        lambda d: _pipeline(d)["arguments"]["parameters"].pop(0),
        "reads workflow.parameters.config",
    ),
    "an undeclared argument at submit": (
        lambda d: _user(d, "writ-train-")["parameters"].append({"name": "trane", "value": "true"}),
        "'trane', which the template does not declare",
    ),
    "an argument outside its enum": (lambda d: _user(d, "writ-train-")["parameters"][0].update(value="yes"), "not one of"),
    "an output used of a step that may be skipped": (lambda d: _task(d, "plan").update(when="true"), "'shards' is used without a default"),
    "a value inside a script": (
        lambda d: _leaf(d, "tasks")["container"].update(command=["/bin/sh", "-c"], args=["echo {{workflow.name}}"]),
        "a script or manifest holds",
    ),
    "no retry after a deleted pod": (lambda d: _leaf(d, "tasks").update(retryStrategy={"limit": "3"}), "a deleted pod ends the run"),
    "no deadline": (lambda d: _leaf(d, "tasks").pop("activeDeadlineSeconds"), "no deadline"),
    "no security context": (lambda d: _leaf(d, "tasks").pop("securityContext"), "the pod may run as root"),
    "a container that keeps capabilities": (
        lambda d: _leaf(d, "tasks")["container"].update(securityContext={"allowPrivilegeEscalation": False, "readOnlyRootFilesystem": True}),
        "keeps capabilities",
    ),
    "the default service account": (lambda d: _leaf(d, "tasks").pop("serviceAccountName"), "no service account of its own"),
    "no limit of memory": (lambda d: _leaf(d, "tasks")["container"].pop("resources"), "are not all stated"),
    "a moving image": (lambda d: _leaf(d, "tasks")["container"].update(image="writ-tasks:latest"), "neither a version nor a digest"),
    "no exit handler": (lambda d: _pipeline(d).pop("onExit"), "no onExit"),
    "an unrestricted wait container": (lambda d: _pipeline(d).update(podSpecPatch="init"), "leaves 'wait' unrestricted"),
    "a parameter without a description": (lambda d: _pipeline(d)["arguments"]["parameters"][0].pop("description"), "lacks a description"),
    "a fan-out over what is not shards": (lambda d: _task(d, "verify").update(withItems=[1, 2]), "fans out over a fixed list"),
    "a secret written down": (
        lambda d: _leaf(d, "tasks")["container"].update(env=[{"name": "OPENAI_API_KEY", "value": "sk-1"}]),
        "holds its value",
    ),
    "a secret as a parameter": (
        lambda d: _pipeline(d)["arguments"]["parameters"].append({"name": "api-key", "value": "", "description": "d"}),
        "would show a secret",
    ),
    "a field of Argo 4.1": (lambda d: _leaf(d, "tasks").update(pendingTimeout="5m"), "needs Argo 4.1"),
}


def _user(found: Documents, generate_name: str) -> dict[str, Any]:
    arguments: dict[str, Any] = next(d for d in found if d["metadata"].get("generateName") == generate_name)["spec"]["arguments"]
    return arguments


@pytest.mark.parametrize("breakage", BREAKAGES)
def test_linter_given_a_broken_file_names_the_fault(argo_documents: Documents, breakage: str) -> None:
    break_it, finding = BREAKAGES[breakage]
    broken = copy.deepcopy(argo_documents)
    break_it(broken)
    assert any(finding in f for f in lint(broken)), lint(broken)

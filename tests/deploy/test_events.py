"""The Argo Events files: every name in them leads somewhere, and Argo Events' own schema, made strict, accepts them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml
from deploy_files import ROOT, documents, parse

SCHEMAS = sorted(Path.home().glob("go/pkg/mod/github.com/argoproj/argo-events@*/api/jsonschema/schema.json"))
"""Of the module that Argo Workflows brings along."""


@pytest.fixture(scope="module")
def events() -> dict[str, Any]:
    return {d["kind"]: d for d in documents("argo/events") if d["kind"] != "NetworkPolicy"}


def reached(tree: Any, path: str) -> bool:
    """Whether `a.0.b` leads to a value."""
    for part in path.split("."):
        if isinstance(tree, list):
            if int(part) >= len(tree):
                return False
            tree = tree[int(part)]
        elif part in tree:
            tree = tree[part]
        else:
            return False
    return True


def test_sensor_depends_on_events_that_its_source_sends(events: dict[str, Any]) -> None:
    source, sensor = events["EventSource"], events["Sensor"]
    sent = {(source["metadata"]["name"], event) for event in source["spec"]["webhook"]}
    assert {(d["eventSourceName"], d["eventName"]) for d in sensor["spec"]["dependencies"]} <= sent


def test_trigger_writes_into_places_that_are_there_and_reads_its_dependency(events: dict[str, Any]) -> None:
    spec = events["Sensor"]["spec"]
    known = {d["name"] for d in spec["dependencies"]}
    for trigger in spec["triggers"]:
        workflow = trigger["template"]["k8s"]
        for parameter in workflow["parameters"]:
            assert parameter["src"]["dependencyName"] in known
            assert reached(workflow["source"]["resource"], parameter["dest"]), parameter["dest"]
        config = next(p for p in workflow["parameters"] if p["src"]["dataKey"] == "body.config")["dest"]
        given = workflow["source"]["resource"]["spec"]["arguments"]["parameters"][int(config.split(".")[3])]
        assert given["name"] == "config"


def test_trigger_starts_the_pipeline_with_parameters_that_it_declares_by_an_account_that_may(events: dict[str, Any]) -> None:
    spec = events["Sensor"]["spec"]
    templates = {d["metadata"]["name"]: d for d in documents("argo/templates") if d["kind"] == "WorkflowTemplate"}
    resource = spec["triggers"][0]["template"]["k8s"]["source"]["resource"]["spec"]
    declared = {p["name"] for p in templates[resource["workflowTemplateRef"]["name"]]["spec"]["arguments"]["parameters"]}
    assert {p["name"] for p in resource["arguments"]["parameters"]} <= declared
    rbac = parse((ROOT / "k8s/base/rbac.yaml").read_text())
    role = next(d for d in rbac if d["kind"] == "Role" and d["metadata"]["name"] == spec["template"]["serviceAccountName"])
    assert any("workflows" in rule["resources"] and "create" in rule["verbs"] for rule in role["rules"])


@pytest.mark.parametrize("kind", ["EventSource", "Sensor"])
def test_schema_of_argo_events_made_strict_accepts_the_file(events: dict[str, Any], kind: str) -> None:
    if not SCHEMAS:
        pytest.skip("the module of Argo Events is not on this machine; tests/e2e/cluster/build.sh argo brings it")
    schema = closed(json.loads(SCHEMAS[-1].read_text()))
    name = f"io.argoproj.events.v1alpha1.{kind}"
    validator = jsonschema.Draft7Validator({"$ref": f"#/definitions/{name}", "definitions": schema["definitions"]})
    faults = [f"{list(e.path)}: {e.message}" for e in validator.iter_errors(yaml.safe_load(yaml.safe_dump(events[kind])))]
    assert [fault for fault in faults if "'url' is a required property" not in fault] == [], "its own examples leave `url` out"
    spoiled = {**events[kind], "spec": {**events[kind]["spec"], "tempalte": {}}}
    assert list(validator.iter_errors(spoiled))


def closed(node: Any) -> Any:
    """The schema with no unknown fields anywhere: as published it accepts every typo."""
    if isinstance(node, dict):
        if node.get("type") == "object" and "properties" in node:
            node.setdefault("additionalProperties", False)
        for value in node.values():
            closed(value)
    elif isinstance(node, list):
        for value in node:
            closed(value)
    return node

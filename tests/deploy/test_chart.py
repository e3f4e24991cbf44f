"""The chart, rendered by Helm: what every scenario must hold, and what each value does."""

from __future__ import annotations

import importlib.util
import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest
import yaml
from argo_lint import lint, restricted_container, restricted_pod
from deploy_files import ROOT, containers, documents, parse, pods, run, tool
from test_argo_files import CRDS

CHART = ROOT / "helm/writ"
SCENARIOS = sorted(p.name for p in (CHART / "ci").glob("*-values.yaml"))
Rendered = list[dict[str, Any]]


def render(*arguments: str) -> Rendered:
    return parse(run(tool("helm"), "template", "release", str(CHART), "--namespace", "tenant", *arguments).stdout)


def refused(*arguments: str) -> str:
    done = run(tool("helm"), "template", "release", str(CHART), *arguments, check=False)
    assert done.returncode != 0
    return done.stderr


@pytest.fixture(params=SCENARIOS, scope="module")
def scenario(request: pytest.FixtureRequest) -> Rendered:
    return render("--values", str(CHART / "ci" / request.param))


@pytest.fixture(scope="module")
def vllm() -> Rendered:
    return render("--values", str(CHART / "ci/vllm-values.yaml"))


@pytest.fixture(scope="module")
def plain() -> Rendered:
    return render()


def named(rendered: Rendered, kind: str, name: str) -> dict[str, Any]:
    return next(d for d in rendered if d["kind"] == kind and d["metadata"]["name"] == name)


def leaf(rendered: Rendered, name: str) -> dict[str, Any]:
    templates = named(rendered, "WorkflowTemplate", "writ-stages")["spec"]["templates"]
    return next(t for t in templates if t["name"] == name)


# --- what the chart carries --------------------------------------------------------------------------------------------------------------


def test_chart_files_are_byte_identical_to_the_argo_templates() -> None:
    copies = {p.name: p.read_bytes() for p in (CHART / "files/argo").iterdir()}
    sources = {p.name: p.read_bytes() for p in (ROOT / "argo/templates").glob("writ-*.yaml")}
    assert copies == sources, "cp argo/templates/writ-*.yaml helm/writ/files/argo/"


def generator(name: str) -> Any:
    spec = importlib.util.spec_from_file_location(f"chart_{name}", ROOT / f"helm/{name}.py")
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_chart_readme_is_what_its_generator_writes() -> None:
    assert (CHART / "README.md").read_text() == generator("readme").readme(), "python helm/readme.py"


def test_dashboards_are_what_their_generator_writes() -> None:
    boards = generator("dashboards")
    written = {p.stem: p.read_text() for p in (CHART / "files/dashboards").iterdir()}
    assert written == {name: boards.dashboard(name) for name in boards.BOARDS}, "python helm/dashboards.py"


def test_chart_schema_closes_every_object_that_is_not_open_by_purpose() -> None:
    def open_objects(node: Any, path: str) -> Iterator[str]:
        if isinstance(node, dict):
            if "properties" in node and "additionalProperties" not in node:
                yield path
            for key, value in node.items():
                yield from open_objects(value, f"{path}/{key}")

    assert list(open_objects(json.loads((CHART / "values.schema.json").read_text()), "")) == []


def test_chart_given_an_unknown_value_refuses_it() -> None:
    assert "imag" in refused("--set", "imag.tag=1")
    assert "replica" in refused("--values", str(CHART / "ci/vllm-values.yaml"), "--set", "models.user.replica=2")


def test_chart_given_a_moving_tag_refuses_it() -> None:
    assert "tag" in refused("--set", "image.tag=latest")


# --- what every scenario holds -----------------------------------------------------------------------------------------------------------


def test_every_rendered_pod_passes_pod_security_restricted(scenario: Rendered) -> None:
    findings = [f"{d['metadata']['name']}: {f}" for d in scenario for pod in pods(d) for f in pod_findings(pod)]
    assert findings == []


def pod_findings(pod: dict[str, Any]) -> Iterator[str]:
    yield from restricted_pod(pod.get("securityContext"))
    for container in containers(pod):
        yield from restricted_container(container.get("securityContext"))
        if not container["securityContext"].get("readOnlyRootFilesystem"):
            yield f"{container['name']}: the root file system can be written"
    allowed = {"configMap", "emptyDir", "persistentVolumeClaim", "projected", "secret", "downwardAPI", "ephemeral", "csi"}
    yield from (f"volume {v['name']}" for v in pod.get("volumes", []) if not set(v) - {"name"} <= allowed)


def test_every_scenario_passes_the_linter_of_workflows(scenario: Rendered) -> None:
    patch = "podSpecPatch leaves"
    assert [f for f in lint(scenario + documents("argo/workflows", "argo/cron")) if patch not in f] == []


def test_no_scenario_holds_a_secret_or_a_cluster_role(scenario: Rendered) -> None:
    kinds = {d["kind"] for d in scenario}
    assert not kinds & {"Secret", "ClusterRole", "ClusterRoleBinding", "CustomResourceDefinition"}


def test_no_role_reads_secrets_or_uses_a_wildcard(scenario: Rendered) -> None:
    rules = [rule for d in scenario if d["kind"] == "Role" for rule in d["rules"]]
    assert rules
    assert not [r for r in rules if "secrets" in r["resources"] or "*" in r["resources"] + r["verbs"] + r["apiGroups"]]


def test_every_object_carries_the_common_labels(scenario: Rendered) -> None:
    wanted = {"app.kubernetes.io/name", "app.kubernetes.io/instance", "app.kubernetes.io/part-of", "helm.sh/chart"}
    assert [d["metadata"]["name"] for d in scenario if not wanted <= set(d["metadata"].get("labels", {}))] == []


def test_every_scenario_is_valid_for_kubernetes_1_34(scenario: Rendered) -> None:
    schemas = ROOT.parent / "shared/kubernetes-schemas"
    if not schemas.is_dir():
        pytest.skip("JSON schemas of Kubernetes are not on this machine; tests/e2e validates against a real API server")
    text = yaml.safe_dump_all(d for d in scenario if "." not in d["apiVersion"].split("/")[0])
    run(tool("kubeconform"), "-strict", "-schema-location", str(schemas), "-", stdin=text)


def test_chart_and_kustomize_base_say_the_same_of_rights_and_networks(plain: Rendered) -> None:
    base = parse(run(tool("kubectl"), "kustomize", str(ROOT / "k8s/base")).stdout)
    for kind, field in (("Role", "rules"), ("NetworkPolicy", "spec")):
        chart = {d["metadata"]["name"]: d[field] for d in plain if d["kind"] == kind}
        assert chart == {d["metadata"]["name"]: d[field] for d in base if d["kind"] == kind}


def test_chart_and_kustomize_base_run_the_same_reaper(plain: Rendered) -> None:
    base = parse(run(tool("kubectl"), "kustomize", str(ROOT / "k8s/base")).stdout)
    theirs, ours = (named(d, "CronJob", "writ-reaper")["spec"] for d in (base, plain))
    pod = theirs["jobTemplate"]["spec"]["template"]["spec"]
    assert pod["containers"][0].pop("envFrom"), "the chart names a Secret only where one is given"
    assert ours["jobTemplate"]["spec"]["template"]["spec"] == pod
    assert {k: v for k, v in ours.items() if k != "jobTemplate"} == {k: v for k, v in theirs.items() if k != "jobTemplate"}


# --- what values do -----------------------------------------------------------------------------------------------------------------------


def test_image_digest_where_given_wins_over_the_tag(vllm: Rendered) -> None:
    assert leaf(vllm, "plan")["container"]["image"] == f"ghcr.io/writ-project/writ-plan@sha256:{'0' * 64}"
    assert leaf(vllm, "tasks")["container"]["image"] == "ghcr.io/writ-project/writ-tasks:0.1.0"


def test_store_and_credentials_reach_stages_and_argo() -> None:
    rendered = render("--values", str(CHART / "ci/onprem-values.yaml"))
    parameters = {p["name"]: p["value"] for p in named(rendered, "WorkflowTemplate", "writ-pipeline")["spec"]["arguments"]["parameters"]}
    assert (parameters["store"], parameters["credentials-secret"]) == ("s3://writ/tenant-a", "writ-credentials")
    settings = yaml.safe_load(named(rendered, "ConfigMap", "writ-settings")["data"]["platform.yaml"])
    assert settings["metrics_port"] == 9464
    assert settings["s3"] == {"region": "us-east-1", "addressing_style": "path", "endpoint_url": "http://s3.storage.svc:9000"}
    repository = yaml.safe_load(named(rendered, "ConfigMap", "artifact-repositories")["data"]["default-v1"])["s3"]
    assert repository["accessKeySecret"]["name"] == "writ-credentials"
    assert repository["keyFormat"].startswith("tenant-a/argo/{{workflow.name}}")


def test_artifact_repository_without_credentials_uses_the_pods_identity(plain: Rendered) -> None:
    repository = yaml.safe_load(named(plain, "ConfigMap", "artifact-repositories")["data"]["default-v1"])["s3"]
    assert repository["useSDKCreds"] is True
    assert "accessKeySecret" not in repository


def test_platform_settings_are_settings_that_writ_knows(vllm: Rendered) -> None:
    from writ.settings import RunConfig

    config = RunConfig.model_validate(yaml.safe_load(named(vllm, "ConfigMap", "writ-settings")["data"]["platform.yaml"]))
    assert config.simulation.agent.base_url == "http://writ-model-agent:8000/v1"


def test_stage_values_of_all_and_of_one_stage_add_up(vllm: Rendered) -> None:
    simulate = leaf(vllm, "simulate")
    assert simulate["nodeSelector"] == {"kubernetes.io/arch": "amd64"}
    assert simulate["container"]["resources"] == {"requests": {"cpu": "1", "memory": "512Mi"}, "limits": {"memory": "1024Mi"}}
    assert simulate["container"]["env"] == [{"name": "OTEL_SDK_DISABLED", "value": "true"}]
    assert "env" not in leaf(vllm, "tasks")["container"]


def test_pools_set_the_semaphores() -> None:
    assert named(render("--set", "pools.agent=3"), "ConfigMap", "writ-pools")["data"] == {"agent": "3", "user": "16"}


def test_executor_patch_is_dropped_where_the_controller_restricts_its_containers(plain: Rendered, vllm: Rendered) -> None:
    assert "podSpecPatch" in named(plain, "WorkflowTemplate", "writ-pipeline")["spec"]
    assert "podSpecPatch" not in named(vllm, "WorkflowTemplate", "writ-pipeline")["spec"]
    assert "podSpecPatch" in leaf(vllm, "simulate"), "memory still grows after a kill"


def test_model_server_is_ready_only_when_it_serves_its_name(vllm: Rendered) -> None:
    server = named(vllm, "Deployment", "writ-model-agent")["spec"]["template"]["spec"]["containers"][0]
    probe = ["python3", "/probe/probe.py", "qwen3-235b"]
    assert server["startupProbe"]["exec"]["command"] == server["readinessProbe"]["exec"]["command"] == probe
    assert server["startupProbe"]["periodSeconds"] * server["startupProbe"]["failureThreshold"] >= 1800
    assert server["args"][:5] == ["/models", "--served-model-name", "qwen3-235b", "--port", "8000"]


def test_probe_is_content_with_the_served_name_and_one_token_and_with_nothing_less(tmp_path: Path) -> None:
    words = [sys.executable, "-m", "writ", "model", "serve", "--out", str(tmp_path), "--port", "0", "--name", "mine"]
    with subprocess.Popen(words, stdout=subprocess.PIPE, text=True) as server:
        assert server.stdout
        probe = (CHART / "files/probe.py").read_text().replace("http://127.0.0.1:8000/v1", server.stdout.readline().strip())
        ready, other = (run(sys.executable, "-c", probe, name, check=False) for name in ("mine", "another"))
        server.terminate()
    assert ready.returncode == 0, ready.stderr
    assert (other.returncode, other.stderr.strip()) == (1, "the server offers ['mine'], not another")


def test_model_server_asks_for_gpus_by_limit_and_has_shared_memory(vllm: Rendered) -> None:
    pod = named(vllm, "Deployment", "writ-model-agent")["spec"]["template"]["spec"]
    assert pod["containers"][0]["resources"]["limits"]["nvidia.com/gpu"] == 8
    assert {"name": "shm", "emptyDir": {"medium": "Memory", "sizeLimit": "32Gi"}} in pod["volumes"]
    assert {"name": "weights", "persistentVolumeClaim": {"claimName": "models", "readOnly": True}} in pod["volumes"]


def test_model_server_whose_weights_are_fetched_checks_them_before_it_starts(vllm: Rendered) -> None:
    pod = named(vllm, "Deployment", "writ-model-user")["spec"]["template"]["spec"]
    fetch = pod["initContainers"][0]
    assert fetch["args"][:5] == ["hf://Qwen/Qwen3-30B-A3B-Instruct-2507", "--revision", "main", "--to", "/models"]
    assert json.loads(fetch["args"][6])["region"] == "us-east-1"
    assert {"name": "weights", "mountPath": "/models", "subPath": "qwen3-30b"} in fetch["volumeMounts"]
    assert named(vllm, "NetworkPolicy", "writ-model-user-fetch")["spec"]["egress"][0]["ports"] == [{"port": 443}]
    inside = ("--set-json", 'networkPolicy.extraEgress=[{"ports": [{"port": 9000}]}]')
    rendered = render("--values", str(CHART / "ci/vllm-values.yaml"), *inside)
    assert named(rendered, "NetworkPolicy", "writ-model-user-fetch")["spec"]["egress"][1:] == [{"ports": [{"port": 9000}]}], "S3 in the cluster"
    assert "initContainers" not in named(vllm, "Deployment", "writ-model-agent")["spec"]["template"]["spec"]


def test_model_server_that_sleeps_is_woken_by_pods_that_carry_its_pools_label(vllm: Rendered) -> None:
    assert "replicas" not in named(vllm, "Deployment", "writ-model-agent")["spec"], "an upgrade would wake or kill it"
    trigger = named(vllm, "ScaledObject", "writ-model-agent")["spec"]["triggers"][0]
    key, value = trigger["metadata"]["podSelector"].split("=")
    assert leaf(vllm, "simulate")["metadata"]["labels"][key] == f"{{{{workflow.parameters.{value}-pool}}}}"


def test_model_server_that_sleeps_goes_only_when_no_pod_needs_it(vllm: Rendered) -> None:
    spec = named(vllm, "ScaledObject", "writ-model-agent")["spec"]
    assert spec["advanced"]["horizontalPodAutoscalerConfig"]["behavior"]["scaleDown"] == {"selectPolicy": "Disabled"}, "two become one under load"
    assert spec["cooldownPeriod"] == 1800


def test_model_server_that_namespaces_share_is_woken_by_the_pods_of_each() -> None:
    servers, runs = (render("--values", str(CHART / f"ci/{name}-values.yaml")) for name in ("vllm", "onprem"))
    triggers = named(servers, "ScaledObject", "writ-model-agent")["spec"]["triggers"]
    assert [t["type"] for t in triggers] == ["kubernetes-workload", "metrics-api", "metrics-api"]
    for namespace, trigger in zip(("team-a", "team-b"), triggers[1:], strict=True):
        asked = urlsplit(trigger["metadata"]["url"])
        assert asked.path == f"/api/v1/namespaces/{namespace}/pods"
        query = dict(parse_qsl(asked.query))
        assert query["labelSelector"] == triggers[0]["metadata"]["podSelector"]
        assert query["fieldSelector"] == "status.phase!=Succeeded,status.phase!=Failed"
        assert int(query["limit"]) == 2 * int(trigger["metadata"]["targetValue"]), "as many as both replicas serve"
        named(servers, "TriggerAuthentication", trigger["authenticationRef"]["name"])
    reader = named(runs, "RoleBinding", "writ-pool-reader")
    assert named(runs, "Role", reader["roleRef"]["name"])["rules"] == [{"apiGroups": [""], "resources": ["pods"], "verbs": ["list"]}]
    account = named(servers, "ServiceAccount", "writ-pool-reader")["metadata"]["name"]
    assert reader["subjects"] == [{"kind": "ServiceAccount", "name": account, "namespace": "models"}]


def test_model_server_that_namespaces_share_is_reached_from_their_workflow_pods_alone() -> None:
    servers, runs = (render("--values", str(CHART / f"ci/{name}-values.yaml")) for name in ("vllm", "onprem"))
    into = named(servers, "NetworkPolicy", "writ-models-shared")["spec"]["ingress"]
    out = named(runs, "NetworkPolicy", "writ-to-shared-models")["spec"]
    assert [len(into), len(into[0]["from"]), len(out["egress"]), len(out["egress"][0]["to"])] == [1, 1, 1, 1]
    assert into[0]["from"][0]["podSelector"] == out["podSelector"], "a list of two peers would open the whole namespace"
    assert into[0]["from"][0]["namespaceSelector"]["matchExpressions"][0]["values"] == ["team-a", "team-b"]
    assert out["egress"][0]["to"][0]["namespaceSelector"] == {"matchLabels": {"kubernetes.io/metadata.name": "models"}}
    assert into[0]["ports"] == out["egress"][0]["ports"] == [{"port": 8000}]


def test_sleeping_model_server_that_is_shared_without_a_token_to_count_by_is_refused() -> None:
    said = refused("--values", str(CHART / "ci/vllm-values.yaml"), "--set", "sharing.tokenSecret=")
    assert "models.agent sleeps (scaleToZero) and sharing.with names other namespaces: set sharing.tokenSecret" in said


def test_kueue_queue_is_named_by_what_needs_gpus(vllm: Rendered) -> None:
    label = "kueue.x-k8s.io/queue-name"
    assert leaf(vllm, "launch")["metadata"]["labels"][label] == leaf(vllm, "simulate")["metadata"]["labels"][label] == "writ"
    assert label not in leaf(vllm, "tasks")["metadata"]["labels"]
    assert named(vllm, "LocalQueue", "writ")["spec"] == {"clusterQueue": "gpus"}


def test_shards_are_scraped_at_the_port_that_their_settings_open(vllm: Rendered) -> None:
    monitor = named(vllm, "PodMonitor", "writ-shards")["spec"]
    port = monitor["podMetricsEndpoints"][0]["port"]
    opened = next(each for each in leaf(vllm, "simulate")["container"]["ports"] if each["name"] == port)["containerPort"]
    assert yaml.safe_load(named(vllm, "ConfigMap", "writ-settings")["data"]["platform.yaml"])["metrics_port"] == opened
    assert monitor["selector"]["matchExpressions"][0]["key"] in leaf(vllm, "simulate")["metadata"]["labels"]
    rule = named(vllm, "NetworkPolicy", "writ-metrics")["spec"]["ingress"][0]
    assert {"port": opened} in rule["ports"]


def test_every_alert_names_its_next_action_and_runbook(vllm: Rendered) -> None:
    rules = named(vllm, "PrometheusRule", "writ")["spec"]["groups"][0]["rules"]
    assert len(rules) >= 5
    assert [r["alert"] for r in rules if not {"summary", "action", "runbook"} <= set(r["annotations"])] == []
    assert "NAMESPACE" not in json.dumps(rules)


def test_dashboards_are_json_with_titled_panels(vllm: Rendered) -> None:
    for text in named(vllm, "ConfigMap", "writ-dashboards")["data"].values():
        assert all(panel["title"] and panel["targets"] for panel in json.loads(text)["panels"])


@pytest.mark.long
def test_workflow_crds_accept_the_rendered_templates(vllm: Rendered) -> None:
    from strict_crds import faults, validators

    folder = CRDS["4.0.7"]
    if not folder.is_dir():
        pytest.skip("the CRDs of Argo 4.0.7 are not on this machine")
    validator = validators(folder)["WorkflowTemplate"]
    assert [f for d in vllm if d["kind"] == "WorkflowTemplate" for f in faults(validator, d)] == []

"""What Prometheus reads is what happened; and nobody asks for a metric that nobody exports."""

from __future__ import annotations

import asyncio
import json
import re
import socket
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from prometheus_client.parser import text_string_to_metric_families

from writ.errors import ConfigError
from writ.llm import ChatRequest, EndpointSettings, ModelFault, request_prefix
from writ.llm import server as front
from writ.llm.pool import Endpoint, open_endpoint
from writ.runners.metrics import ServerMetrics, StageMetrics
from writ.schema import Verdict
from writ.simulation.engine import Event

ROOT = Path(__file__).resolve().parents[2]
FILES = ROOT / "helm/writ/files"
OF_OTHERS = re.compile(r"(kube_|vllm:|argo_workflows_)")
"""Exported by kube-state-metrics, vLLM and Argo's controller."""
NAME = re.compile(r"[a-zA-Z_:][a-zA-Z0-9_:]*")
OF_PROMQL = {
    *("sum", "max", "min", "avg", "by", "without", "rate", "increase", "histogram_quantile", "clamp_min", "label_values", "ignoring", "on", "and"),
    *("or", "unless", "group_left", "count"),
}


def samples(text: str) -> dict[tuple[str, tuple[tuple[str, str], ...]], float]:
    """(name, labels) -> value."""
    return {(s.name, tuple(sorted(s.labels.items()))): s.value for family in text_string_to_metric_families(text) for s in family.samples}


def read(url: str) -> str:
    with urllib.request.urlopen(url, timeout=10) as reply:
        return reply.read().decode()


async def fetched(url: str) -> str:
    return await asyncio.to_thread(read, url)


def free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


def ended(kept: bool, cause: str = "", kind: Any = "finished") -> Event:
    verdict = Verdict(trajectory_id="t", task_id="t", kept=kept, reward=None, checks=(), cause=cause)
    return Event(kind, None, None, verdict, 1.5)  # type: ignore[arg-type]


def endpoint(url: str, **more: Any) -> Endpoint:
    return open_endpoint(EndpointSettings(model="m", base_url=url, retries=1, backoff_base_s=0.001, usd_per_million_prompt_tokens=1e6, **more))


async def talked() -> tuple[str, str]:
    """What a stage and the model's server show, after two answers and one request that failed twice."""
    calls = 0

    async def answer(body: dict[str, Any]) -> front.Reply:
        nonlocal calls
        calls += 1
        return front.chat_reply("Yes.", model="m", prompt_tokens=3, completion_tokens=2) if calls < 3 else front.error_reply(500, "broken")

    counted, port = ServerMetrics(answer), free_port()
    async with front.serve(counted, models=("m",), metrics=counted.text) as running:
        agent = endpoint(running.base_url)
        stage = StageMetrics("simulate", {"agent": agent})
        stage.event(ended(True))
        stage.event(ended(False, "wrong_argument"))
        stage.event(ended(True, kind="resumed"))
        stage.event(ended(False, kind="lost"))
        with stage.exported(port):
            for _ in range(3):
                try:
                    await agent.complete(ChatRequest(request_prefix(agent.settings), [b'{"role":"user","content":"?"}']))
                except ModelFault:
                    continue
            texts = await fetched(f"http://127.0.0.1:{port}/metrics"), await fetched(f"http://{running.host}:{running.port}/metrics")
        await agent.close()
        return texts


@pytest.fixture(scope="module")
def shown() -> tuple[str, str]:
    return asyncio.run(talked())


def test_stage_exports_conversations_by_cause_and_what_its_endpoint_did(shown: tuple[str, str]) -> None:
    found, at = samples(shown[0]), (("model", "m"), ("side", "agent"))
    assert found["writ_conversations_total", (("cause", "kept"), ("stage", "simulate"))] == 1
    assert found["writ_conversations_total", (("cause", "wrong_argument"), ("stage", "simulate"))] == 1
    assert found["writ_conversations_resumed_total", (("stage", "simulate"),)] == 1
    assert found["writ_model_replies_total", at] == 2
    assert found["writ_model_tokens_total", (("kind", "prompt"), *at)] == 6
    assert found["writ_model_cost_usd_total", at] == 6
    assert found["writ_model_retries_total", (("cause", "server_error"), *at)] == 1
    assert found["writ_model_given_up_total", (("cause", "server_error"), *at)] == 1
    assert found["writ_model_request_seconds_bucket", (("le", "+Inf"), *at)] == found["writ_model_request_seconds_count", at] == 2


def test_server_of_an_embedded_model_counts_requests_by_status_and_tokens(shown: tuple[str, str]) -> None:
    found = samples(shown[1])
    assert found["writ_server_requests_total", (("model", "m"), ("status", "200"))] == 2
    assert found["writ_server_requests_total", (("model", "m"), ("status", "500"))] == 2
    assert found["writ_server_tokens_total", (("kind", "completion"), ("model", "m"))] == 4


def test_server_that_does_not_count_has_no_metrics() -> None:
    async def asked() -> int:
        async with front.serve(lambda body: front.chat_reply("", model="m"), models=("m",)) as running:  # type: ignore[arg-type,return-value]
            try:
                await fetched(f"http://{running.host}:{running.port}/metrics")
            except urllib.error.HTTPError as e:
                return e.code
        return 0

    assert asyncio.run(asked()) == 404


def test_port_that_is_taken_is_named() -> None:
    with socket.socket() as taken:
        taken.bind(("0.0.0.0", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with pytest.raises(ConfigError, match=f"metrics_port {port}"), StageMetrics("simulate", {}).exported(port):
            pass


# --- dashboards and alerts --------------------------------------------------------------------------------------------------------------


def queries() -> Iterator[tuple[str, str]]:
    """(where, PromQL) of every panel, variable and alert."""
    for path in sorted((FILES / "dashboards").glob("*.json")):
        board = json.loads(path.read_text())
        for panel in board["panels"]:
            yield from ((f"{path.name}: {panel['title']}", target["expr"]) for target in panel["targets"])
        for variable in board["templating"]["list"]:
            if variable["type"] == "query":
                yield f"{path.name}: variable {variable['name']}", variable["query"]
    for group in yaml.safe_load((FILES / "alerts.yaml").read_text())["groups"]:
        yield from ((rule["alert"], rule["expr"]) for rule in group["rules"])


def asked_for(query: str) -> set[str]:
    """Names of metrics in a query: what is left when strings, labels, durations and functions are gone."""
    bare = re.sub(r'"(\\.|[^"\\])*"', '""', query)
    bare = re.sub(r"\b(by|without|ignoring|on|group_left)\s*\([^)]*\)", "", bare)
    bare = re.sub(r"label_values\((.*),\s*\w+\)", r"\1", bare)
    bare = re.sub(r"\{[^}]*\}|\[[^\]]*\]", "", bare)
    return {name for name in NAME.findall(re.sub(r"\b[\d.]+[a-z]*", "", bare)) if name not in OF_PROMQL}


def test_dashboards_and_alerts_ask_only_for_metrics_that_somebody_exports(shown: tuple[str, str]) -> None:
    ours = {name for text in shown for name, _ in samples(text)}
    nobodys = [(where, name) for where, query in queries() for name in asked_for(query) if name not in ours and not OF_OTHERS.match(name)]
    assert nobodys == []


def test_query_with_a_metric_that_nobody_exports_is_seen() -> None:
    assert asked_for('sum by (cause) (rate(writ_nothing_total{a="b,c"}[5m])) / 2 > 0.95') == {"writ_nothing_total"}
    assert asked_for('label_values(kube_pod_labels{x="writ"}, namespace)') == {"kube_pod_labels"}


def test_every_metric_that_a_stage_exports_is_on_a_dashboard(shown: tuple[str, str]) -> None:
    asked = {name for _, query in queries() for name in asked_for(query)}
    families = {family.name for text in shown for family in text_string_to_metric_families(text)}
    unseen = {f for f in families if not any(name.startswith(f) for name in asked)}
    assert unseen <= {"writ_model_requests", "writ_model_replies"}


def test_every_alert_names_its_next_action_and_has_a_page_that_says_more() -> None:
    rules = [rule for group in yaml.safe_load((FILES / "alerts.yaml").read_text())["groups"] for rule in group["rules"]]
    for rule in rules:
        page = ROOT / rule["annotations"]["runbook"]
        assert page.is_file(), page
        text = page.read_text()
        assert text.startswith(f"# {rule['alert']}\n")
        assert all(f"## {part}" in text for part in ("What it means", "What to do", "When it is over"))
        assert rule["annotations"]["action"]
    pages = {f"docs/runbooks/{p.name}" for p in (ROOT / "docs/runbooks").glob("*.md")} - {"docs/runbooks/index.md"}
    assert pages == {rule["annotations"]["runbook"] for rule in rules}

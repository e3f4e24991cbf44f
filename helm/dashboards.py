"""Writes helm/writ/files/dashboards/*.json: a line per panel here, forty there. A test holds the two together.

Metrics `writ_*` come from src/writ/runners/metrics.py; the others from kube-state-metrics, vLLM and Argo's controller.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, NamedTuple

FOLDER = Path(__file__).parent / "writ/files/dashboards"
PROMETHEUS = {"type": "prometheus", "uid": "${datasource}"}


class Panel(NamedTuple):
    title: str
    unit: str
    """Of Grafana: short, s, percentunit, currencyUSD, reqps."""
    queries: dict[str, str]
    """Legend -> PromQL."""


HERE = 'namespace="$namespace"'
RUN = 'namespace="$namespace",workflows_argoproj_io_workflow=~"$workflow"'


def quantile(share: float, metric: str, where: str, by: str = "") -> str:
    return f"histogram_quantile({share}, sum by ({by}le) (rate({metric}_bucket{{{where}}}[5m])))"


BOARDS: dict[str, tuple[str, list[tuple[str, str]], list[Panel]]] = {
    "run": (
        "writ: a run",
        [
            ("namespace", "label_values(writ_model_in_flight, namespace)"),
            ("workflow", 'label_values(writ_model_in_flight{namespace="$namespace"}, workflows_argoproj_io_workflow)'),
        ],
        [
            Panel(
                "Conversations per minute, by cause of loss",
                "short",
                {"{{cause}}": f"60 * sum by (cause) (rate(writ_conversations_total{{{RUN}}}[5m]))"},
            ),
            Panel(
                "Share kept",
                "percentunit",
                {"kept": f'sum(rate(writ_conversations_total{{{RUN},cause="kept"}}[15m])) / sum(rate(writ_conversations_total{{{RUN}}}[15m]))'},
            ),
            Panel(
                "Seconds per conversation",
                "s",
                {
                    "half": quantile(0.5, "writ_conversation_seconds", RUN),
                    "95 %": quantile(0.95, "writ_conversation_seconds", RUN),
                },
            ),
            Panel("Tokens per second", "short", {"{{side}} {{kind}}": f"sum by (side, kind) (rate(writ_model_tokens_total{{{RUN}}}[5m]))"}),
            Panel("Seconds per request, 95 %", "s", {"{{side}}": quantile(0.95, "writ_model_request_seconds", RUN, "side, ")}),
            Panel(
                "Requests in flight, and the most that the limit admits",
                "short",
                {
                    "{{side}} in flight": f"sum by (side) (writ_model_in_flight{{{RUN}}})",
                    "{{side}} limit": f"sum by (side) (writ_model_concurrency_limit{{{RUN}}})",
                },
            ),
            Panel(
                "Saturation: in flight as a share of the limit",
                "percentunit",
                {"{{side}}": f"sum by (side) (writ_model_in_flight{{{RUN}}}) / sum by (side) (writ_model_concurrency_limit{{{RUN}}})"},
            ),
            Panel(
                "Attempts that failed, per minute",
                "short",
                {
                    "{{side}} {{cause}}, tried again": f"60 * sum by (side, cause) (rate(writ_model_retries_total{{{RUN}}}[5m]))",
                    "{{side}} {{cause}}, given up": f"60 * sum by (side, cause) (rate(writ_model_given_up_total{{{RUN}}}[5m]))",
                },
            ),
            Panel("Dollars so far", "currencyUSD", {"{{side}}": f"sum by (side) (writ_model_cost_usd_total{{{RUN}}})"}),
            Panel(
                "Taken from the journal, and begun again after infrastructure failed",
                "short",
                {
                    "resumed": f"sum(writ_conversations_resumed_total{{{RUN}}})",
                    "begun again": f"sum(writ_conversations_begun_again_total{{{RUN}}})",
                },
            ),
        ],
    ),
    "platform": (
        "writ: platform",
        [("namespace", 'label_values(kube_pod_labels{label_app_kubernetes_io_part_of="writ"}, namespace)')],
        [
            Panel("Workflows by phase", "short", {"{{phase}}": "sum by (phase) (argo_workflows_gauge)"}),
            Panel("Pods by phase", "short", {"{{phase}}": f"sum by (phase) (kube_pod_status_phase{{{HERE}}})"}),
            Panel(
                "Conversations per minute, by Workflow",
                "short",
                {
                    "{{workflows_argoproj_io_workflow}}": "60 * sum by (workflows_argoproj_io_workflow) "
                    f"(rate(writ_conversations_total{{{HERE}}}[5m]))"
                },
            ),
            Panel(
                "Saturation of the pools: in flight as a share of the limit",
                "percentunit",
                {"{{side}}": f"sum by (side) (writ_model_in_flight{{{HERE}}}) / sum by (side) (writ_model_concurrency_limit{{{HERE}}})"},
            ),
            Panel("Dollars per hour", "currencyUSD", {"{{model}}": f"3600 * sum by (model) (rate(writ_model_cost_usd_total{{{HERE}}}[15m]))"}),
            Panel(
                "vLLM: requests running and waiting",
                "short",
                {
                    "running": f"sum(vllm:num_requests_running{{{HERE}}})",
                    "waiting": f"sum(vllm:num_requests_waiting{{{HERE}}})",
                },
            ),
            Panel("vLLM: tokens per second", "short", {"generated": f"sum(rate(vllm:generation_tokens_total{{{HERE}}}[5m]))"}),
            Panel("vLLM: time to the first token, 95 %", "s", {"95 %": quantile(0.95, "vllm:time_to_first_token_seconds", HERE)}),
            Panel(
                "vLLM: share of prompt tokens from the prefix cache",
                "percentunit",
                {"hits": f"sum(rate(vllm:prefix_cache_hits_total{{{HERE}}}[5m])) / sum(rate(vllm:prefix_cache_queries_total{{{HERE}}}[5m]))"},
            ),
            Panel(
                "Scripted server: requests per second, by status",
                "reqps",
                {"{{status}}": f"sum by (status) (rate(writ_server_requests_total{{{HERE}}}[5m]))"},
            ),
            Panel(
                "Scripted server: in flight, tokens per second, seconds per request (95 %)",
                "short",
                {
                    "in flight": f"sum(writ_server_in_flight{{{HERE}}})",
                    "tokens/s": f"sum(rate(writ_server_tokens_total{{{HERE}}}[5m]))",
                    "seconds": quantile(0.95, "writ_server_request_seconds", HERE),
                },
            ),
            Panel(
                "Kills for memory, per hour",
                "short",
                {"main": f'sum(increase(kube_pod_container_status_terminated_reason{{{HERE},container="main",reason="OOMKilled"}}[1h]))'},
            ),
            Panel(
                "Quota used",
                "percentunit",
                {"{{resource}}": f'kube_resourcequota{{{HERE},type="used"}} / ignoring(type) kube_resourcequota{{{HERE},type="hard"}}'},
            ),
        ],
    ),
}


def variable(name: str, query: str) -> dict[str, Any]:
    return {"name": name, "type": "query", "datasource": PROMETHEUS, "query": query, "refresh": 2, "sort": 2}


def drawn(number: int, panel: Panel) -> dict[str, Any]:
    targets = [{"refId": chr(65 + i), "expr": query, "legendFormat": legend} for i, (legend, query) in enumerate(panel.queries.items())]
    return {
        "id": number + 1,
        "title": panel.title,
        "type": "timeseries",
        "datasource": PROMETHEUS,
        "gridPos": {"h": 8, "w": 12, "x": 12 * (number % 2), "y": 8 * (number // 2)},
        "fieldConfig": {"defaults": {"unit": panel.unit}, "overrides": []},
        "targets": targets,
    }


def dashboard(name: str) -> str:
    title, variables, panels = BOARDS[name]
    board = {
        "uid": f"writ-{name}",
        "title": title,
        "tags": ["writ"],
        "schemaVersion": 39,
        "timezone": "utc",
        "refresh": "30s",
        "time": {"from": "now-6h", "to": "now"},
        "templating": {"list": [{"name": "datasource", "type": "datasource", "query": "prometheus"}, *(variable(*each) for each in variables)]},
        "panels": [drawn(number, panel) for number, panel in enumerate(panels)],
    }
    return json.dumps(board, indent=1) + "\n"


if __name__ == "__main__":
    for each in BOARDS:
        (FOLDER / f"{each}.json").write_text(dashboard(each))

"""The page of an evaluation: models side by side. Plain HTML without a script; it reads the figures that `writ evaluate --to` writes."""

from collections.abc import Iterable, Mapping, Sequence
from html import escape
from typing import Any

Figures = Mapping[str, Any]

STYLE = """
:root { color-scheme: light dark; --ink: #1c2430; --dim: #5b6675; --paper: #fbfaf7; --line: #d9d6cd; --bar: #2f6f8f; --good: 47 125 92; }
@media (prefers-color-scheme: dark) {
  :root { --ink: #e8e6e1; --dim: #a3acb8; --paper: #14181d; --line: #333b45; --bar: #7fb7d1; --good: 90 180 140; }
}
body { font: 15px/1.5 system-ui, sans-serif; color: var(--ink); background: var(--paper); max-width: 72rem; margin: 0 auto; padding: 2rem 1rem; }
h1 { font-size: 1.6rem; margin: 0; } h2 { font-size: 1.15rem; margin: 2.5rem 0 .3rem; }
p { color: var(--dim); margin: .2rem 0 .8rem; max-width: 60rem; }
.scroll { overflow-x: auto; } table { border-collapse: collapse; } caption { text-align: left; font-weight: 600; padding: .3rem 0; }
th, td { padding: .3rem .8rem; border-bottom: 1px solid var(--line); text-align: right; white-space: nowrap; font-variant-numeric: tabular-nums; }
th:first-child, td.name { text-align: left; } td.wrap { white-space: normal; text-align: left; min-width: 20rem; } small { color: var(--dim); }
.bar { display: inline-block; width: 10rem; height: .7rem; position: relative; background: var(--line); border-radius: 2px; vertical-align: middle; }
.bar i { position: absolute; inset: 0 auto 0 0; background: var(--bar); border-radius: 2px; }
.bar b { position: absolute; top: 40%; height: 20%; background: var(--ink); }
.bar.guess i { background: var(--dim); }
.bar u { position: absolute; top: -20%; height: 140%; width: 2px; background: var(--dim); }
.cell { border: 2px solid var(--paper); text-align: center; }
"""


def evaluation_page(figures: Figures) -> bytes:
    """One HTML file that needs no network."""
    models: Sequence[Figures] = figures["models"]
    sections = [
        _passes(models, figures.get("chance")),
        *([_comparisons(figures["comparisons"])] if figures["comparisons"] else []),
        _cells(models),
        _costs(models),
        _errors(models),
        *([_official(figures["official"])] if figures.get("official") else []),
    ]
    title = "Evaluation of " + ", ".join(escape(model["model"]) for model in models)
    tasks = max(model["overall"]["tasks"] for model in models)
    head = (
        f"<!doctype html><html lang=en><meta charset=utf-8><meta name=viewport content='width=device-width'><title>{title}</title>"
        f"<meta http-equiv=Content-Security-Policy content=\"default-src 'none'; style-src 'unsafe-inline'\">"
        f"<style>{STYLE}</style><h1>{title}</h1><p>{tasks} judged tasks. Intervals are percentile bootstraps over tasks.</p>"
    )
    return "\n".join([head, *sections, "</html>"]).encode()


def _passes(models: Sequence[Figures], chance: float | None) -> str:
    most = max((len(model["overall"]["by_k"]) for model in models), default=1)
    rows = [_pass_row(model["model"], group, figures, most, chance) for model in models for group, figures in _groups(model)]
    heads = ["model", "tasks of", "pass^1", *(f"pass^{k}" for k in range(1, most + 1)), "tasks", "trials", "not judged"]
    about = "Chance that k trials of one task all succeed, in percent; every task weighs the same. The line in a bar is the interval."
    if chance is not None:
        shown = [f"{100 * chance:.1f}", *(["·"] * (most + 2))]
        rows.append([_name("guessing"), _name("all"), f"<td>{_bar((chance,) * 3, kind=' guess')}</td>", *map(_number, shown)])
        about += " Guessing does all else right, and draws each of the person's own records among those of its kind; the upright mark stands there."
    return _section("Success", about, [_table("", heads, rows)])


def _groups(model: Figures) -> Iterable[tuple[str, Figures]]:
    yield "all", model["overall"]
    yield from model["domains"].items()
    if model["without_judge"]:
        yield "all, without assertions", model["without_judge"]


def _pass_row(model: str, group: str, figures: Figures, most: int, chance: float | None) -> list[str]:
    passes = {int(k): interval for k, interval in figures["by_k"].items()}
    shown = [_interval(passes[k]) if k in passes else "·" for k in range(1, most + 1)]
    counts = [f"{figures[name]:,}" for name in ("tasks", "trials", "unjudged")]
    bar = _bar(passes[1], chance if group == "all" else None) if 1 in passes else ""
    return [_name(model), _name(group), f"<td>{bar}</td>", *map(_number, [*shown, *counts])]


def _bar(interval: Sequence[float], chance: float | None = None, kind: str = "") -> str:
    """`chance`: where guessing stands."""
    value, low, high = (100 * each for each in interval)
    mark = "" if chance is None else f'<u style="left:{100 * chance:.1f}%"></u>'
    return f'<span class="bar{kind}"><i style="width:{value:.1f}%"></i><b style="left:{low:.1f}%;width:{max(high - low, 0.5):.1f}%"></b>{mark}</span>'


def _interval(interval: Sequence[float]) -> str:
    value, low, high = (100 * each for each in interval)
    return f"{value:.1f} <small>[{low:.1f}, {high:.1f}]</small>"


def _comparisons(found: Sequence[Figures]) -> str:
    rows = [
        [
            _name(f"{each['first']} − {each['second']}"),
            _number(_interval(each["difference"])),
            *(_number(f"{each[name]}") for name in ("tasks", "better", "worse")),
            _number(f"{each['p_value']:.3g}"),
        ]
        for each in found
    ]
    about = "Difference of pass^1 in points over the tasks that both were judged on, with a paired bootstrap interval; p of the exact sign test."
    return _section("Against each other", about, [_table("", ["models", "difference", "tasks", "better on", "worse on", "p"], rows)])


def _cells(models: Sequence[Figures]) -> str:
    bins = list(dict.fromkeys(cell["burden"] for model in models for cell in model["cells"]))
    order = sorted(bins, key=lambda name: int(name.split("-")[0].rstrip("+") or -1) if name else -1)
    tables = []
    for model in models:
        for domain in model["domains"]:
            cells = {(cell["writes"], cell["burden"]): cell for cell in model["cells"] if cell["domain"] == domain}
            writes = sorted({number for number, _ in cells})
            rows = [[_name(str(number)), *(_cell(cells.get((number, burden))) for burden in order)] for number in writes]
            tables.append(_table(f"{model['model']}, {domain}", ["writes", *(name or "unknown" for name in order)], rows))
    return _section("Where it is hard", "Successes of trials by gold writes (rows) and evidence burden (columns).", tables)


def _cell(cell: Figures | None) -> str:
    if cell is None:
        return "<td class=cell>·</td>"
    share = cell["successes"] / cell["trials"]
    return f'<td class=cell style="background:rgb(var(--good) / {0.75 * share:.2f})">{cell["successes"]}/{cell["trials"]}</td>'


def _costs(models: Sequence[Figures]) -> str:
    rows = []
    for model in models:
        spent = model["tokens"]
        per_success = "no success" if spent["per_success"] is None else f"{spent['per_success']:,.0f}"
        figures = [f"{spent['per_conversation']:,.0f}", f"{spent['agent_per_conversation']:,.0f}", per_success, f"{model['lucky']:,}"]
        rows.append([_name(model["model"]), *map(_number, figures)])
    heads = ["model", "tokens per conversation", "of these the agent", "tokens per success", "succeeded by luck"]
    return _section("What it costs", "By luck: the outcome is right although a check of the process failed.", [_table("", heads, rows)])


def _errors(models: Sequence[Figures]) -> str:
    kinds = list(dict.fromkeys(kind for model in models for kind in model["errors"]))
    rows = [[_name(kind), *(_number(f"{model['errors'].get(kind, 0):,}") for model in models)] for kind in kinds]
    table = _table("", ["failed by", *(escape(model["model"]) for model in models)], rows)
    return _section("What went wrong", "Trials that failed, or could not be judged, by type of error.", [table])


def _official(found: Sequence[Figures]) -> str:
    rows = [
        [
            _name(each["model"]),
            _number(f"{each['agree']} of {each['tasks']}"),
            _number(f"{100 * each['ours']:.1f}"),
            _number(f"{100 * each['theirs']:.1f}"),
            _number(f"{each['p_value']:.3g}"),
            f"<td class=wrap>{'<br>'.join(escape(pair['task_id'] + ': ' + pair['why']) for pair in each['differ']) or 'none'}</td>",
        ]
        for each in found
    ]
    heads = ["model", "tasks that agree", "pass^1 here", "pass^1 there", "p", "tasks that differ"]
    return _section("Beside the benchmark's own runner", "Both runners against the same endpoint.", [_table("", heads, rows)])


def _section(title: str, about: str, tables: Iterable[str]) -> str:
    return f"<h2>{title}</h2><p>{about}</p>" + "".join(f"<div class=scroll>{table}</div>" for table in tables)


def _table(caption: str, heads: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    top = "".join(f"<th scope=col>{head}</th>" for head in heads)
    body = "".join(f"<tr>{''.join(row)}</tr>" for row in rows)
    return f"<table>{f'<caption>{escape(caption)}</caption>' if caption else ''}<thead><tr>{top}</tr></thead><tbody>{body}</tbody></table>"


def _name(text: str) -> str:
    return f"<td class=name>{escape(text)}</td>"


def _number(text: str) -> str:
    return f"<td>{text}</td>"

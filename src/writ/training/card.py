"""What lies beside the weights: the card that says what they were made from, and the curve of the loss."""

import io
import json
from collections.abc import Mapping, Sequence

from writ.settings import TrainingConfig
from writ.training.sft import Trained


def card(trained: Trained, config: TrainingConfig, about: Mapping[str, str]) -> str:
    """Markdown. `about`: name -> value of what the caller knows: the dataset's key, the code's revision."""
    report = trained.report
    first, last = (trained.curve[0], trained.curve[-1]) if trained.curve else ((0, 0.0), (0, 0.0))
    facts = {
        **about,
        "rows": f"{report.rows:,}",
        "tokens": f"{report.tokens:,} ({report.trained_share:.1%} with loss), longest row {report.longest_tokens:,}",
        "rows said by the scripted model": f"{report.scripted_rows:,}",
        "left out for length": ", ".join(report.excluded) or "none",
        "precision": f"{trained.precision}, on {trained.devices} device{'s' if trained.devices > 1 else ''}",
        "resumed from step": str(trained.resumed_from),
        "loss": f"{first[1]:.4f} at step {first[0]}, {last[1]:.4f} at step {last[0]} (curve.json, loss.svg)",
    }
    lines = [f"- **{name}**: {value}" for name, value in facts.items()]
    settings = json.dumps(config.model_dump(mode="json"), indent=2)
    return "\n".join(["# A model trained with writ", "", *lines, "", "```json", settings, "```", ""])


def points(curve: Sequence[tuple[int, float]]) -> list[dict[str, float]]:
    """The curve as `curve.json` has it."""
    return [{"step": step, "loss": loss} for step, loss in curve]


def curve(points: Sequence[tuple[int, float]]) -> bytes:
    """The loss over the steps, as SVG."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(6, 3.5))
    axes = figure.subplots()
    axes.plot([step for step, _ in points], [loss for _, loss in points])
    axes.set_xlabel("optimizer step")
    axes.set_ylabel("loss")
    figure.tight_layout()
    sink = io.BytesIO()
    figure.savefig(sink, format="svg", metadata={"Date": None})
    return sink.getvalue()

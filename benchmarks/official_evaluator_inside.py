"""Runs inside the benchmark's own interpreter: trials as JSON lines in, its environment evaluator's rewards out. See official_evaluator.py."""

import json
import os
import pickle
import sys
from pathlib import Path


def main() -> None:
    checkout = Path(sys.argv[1])
    sys.path.insert(0, str(checkout / "src"))
    os.environ["TAU2_DATA_DIR"] = str(checkout / "data")
    from loguru import logger
    from tau2.data_model.message import AssistantMessage, ToolCall, ToolMessage
    from tau2.data_model.tasks import Task
    from tau2.evaluator.evaluator_env import EnvironmentEvaluator
    from tau2.registry import registry

    logger.remove()

    def message(entry):  # type: ignore[no-untyped-def] # noqa: ANN001, ANN202
        if entry["role"] == "tool":
            return ToolMessage(id=entry["id"], role="tool", content=entry["content"], error=entry["error"], requestor="assistant")
        return AssistantMessage(role="assistant", content=None, tool_calls=[ToolCall(**call) for call in entry["calls"]])

    snapshots = {}

    def fresh(domain):  # type: ignore[no-untyped-def] # noqa: ANN001, ANN202
        """The benchmark's own constructor, over a copy of its database that is parsed once."""
        construct = registry.get_env_constructor(domain)
        if domain not in snapshots:
            snapshots[domain] = pickle.dumps(construct().tools.db)
        return lambda **kwargs: construct(db=pickle.loads(snapshots[domain]), **kwargs)

    for line in sys.stdin:
        trial = json.loads(line)
        task = Task.model_validate(trial["task"])
        try:
            info = EnvironmentEvaluator.calculate_reward(
                environment_constructor=fresh(trial["domain"]),
                task=task,
                full_trajectory=[message(entry) for entry in trial["messages"]],
            )
            reward, note = info.reward, ""
        except ValueError as e:
            reward, note = None, str(e)[:300]
        print(json.dumps({"id": task.id, "act": trial["act"], "wanted": trial["wanted"], "reward": reward, "note": note}), flush=True)


main()

"""Runs inside the benchmark's own interpreter: trials as JSON lines in, its environment evaluator's rewards out. See official_evaluator.py.

Its evaluator opens two environments per trial, and each parses the whole database. Here two databases per domain are loaded once, and every trial is
judged in a fork of this process: it writes into its own copy, which ends with it. What remains is the evaluator's own hashing of both databases.
"""

import gc
import json
import os
import sys
from pathlib import Path


def main() -> None:
    checkout = Path(sys.argv[1])
    sys.path.insert(0, str(checkout / "src"))
    os.environ["LITELLM_LOCAL_MODEL_COST_MAP"] = "True"
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

    def judged(trial):  # type: ignore[no-untyped-def] # noqa: ANN001, ANN202
        construct, databases = registry.get_env_constructor(trial["domain"]), iter(loaded[trial["domain"]])
        task = Task.model_validate(trial["task"])
        try:
            reward, note = (
                EnvironmentEvaluator.calculate_reward(
                    environment_constructor=lambda **kwargs: construct(db=next(databases), **kwargs),
                    task=task,
                    full_trajectory=[message(entry) for entry in trial["messages"]],
                ).reward,
                "",
            )
        except ValueError as e:
            reward, note = None, str(e)[:300]
        return {**{name: trial[name] for name in ("domain", "kind", "act", "wanted")}, "id": task.id, "reward": reward, "note": note}

    loaded = {domain: [registry.get_env_constructor(domain)().tools.db for _ in range(2)] for domain in sys.argv[2].split(",")}
    gc.collect()
    gc.freeze()
    for line in sys.stdin:
        child = os.fork()
        if not child:
            print(json.dumps(judged(json.loads(line))), flush=True)
            os._exit(0)
        if os.waitpid(child, 0)[1]:
            sys.exit("a trial ended without a reward")


main()

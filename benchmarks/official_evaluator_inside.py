"""Runs inside the benchmark's own interpreter: trials as JSON lines in, its environment evaluator's rewards out. See official_evaluator.py.

Its evaluator opens two environments per trial; each parses the whole database and hashes it whole. Here two databases per domain are loaded once,
and every trial is judged in a fork of this process, whose writes end with it. In place of the hash of everything stands a hash of the records that
are not as they were. Every tenth trial is judged a second time with the benchmark's own hash, and ends all where the two rewards differ.
"""

import gc
import hashlib
import json
import os
import sys
from pathlib import Path

OWN_HASH_EVERY = 10


class Watched(dict):  # type: ignore[type-arg]
    """A table that remembers each record as it was when it was first asked for by its id; the tools change no other."""

    def __init__(self, records):  # type: ignore[no-untyped-def] # noqa: ANN001, ANN204
        super().__init__(records)
        self.before = {}

    def _seen(self, record_id):  # type: ignore[no-untyped-def] # noqa: ANN001, ANN202
        if record_id not in self.before:
            self.before[record_id] = text(dict.get(self, record_id))

    def __getitem__(self, record_id):  # type: ignore[no-untyped-def] # noqa: ANN001, ANN204
        self._seen(record_id)
        return super().__getitem__(record_id)

    def get(self, record_id, default=None):  # type: ignore[no-untyped-def] # noqa: ANN001, ANN201
        self._seen(record_id)
        return super().get(record_id, default)

    def __setitem__(self, record_id, record):  # type: ignore[no-untyped-def] # noqa: ANN001, ANN204
        self._seen(record_id)
        super().__setitem__(record_id, record)

    def __delitem__(self, record_id):  # type: ignore[no-untyped-def] # noqa: ANN001, ANN204
        self._seen(record_id)
        super().__delitem__(record_id)

    def changes(self):  # type: ignore[no-untyped-def] # noqa: ANN201
        now = {record_id: text(dict.get(self, record_id)) for record_id in self.before}
        return {record_id: now[record_id] for record_id in sorted(now) if now[record_id] != self.before[record_id]}


def text(record):  # type: ignore[no-untyped-def] # noqa: ANN001, ANN201
    return None if record is None else json.dumps(record.model_dump(), sort_keys=True, default=str)


def watched(environment):  # type: ignore[no-untyped-def] # noqa: ANN001, ANN201
    """The same environment, whose database hash is that of what changed."""
    database = environment.tools.db
    tables = [name for name in type(database).model_fields if isinstance(getattr(database, name), dict)]
    for name in tables:
        setattr(database, name, Watched(getattr(database, name)))
    changed = lambda: json.dumps([getattr(database, name).changes() for name in tables])  # noqa: E731
    environment.get_db_hash = lambda: hashlib.sha256(changed().encode()).hexdigest()
    return environment


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

    def judged(trial, prepare):  # type: ignore[no-untyped-def] # noqa: ANN001, ANN202
        construct, databases = registry.get_env_constructor(trial["domain"]), iter(loaded[trial["domain"]])
        task = Task.model_validate(trial["task"])
        try:
            reward, note = (
                EnvironmentEvaluator.calculate_reward(
                    environment_constructor=lambda **kwargs: prepare(construct(db=next(databases), **kwargs)),
                    task=task,
                    full_trajectory=[message(entry) for entry in trial["messages"]],
                ).reward,
                "",
            )
        except ValueError as e:
            reward, note = None, str(e)[:300]
        return {**{name: trial[name] for name in ("domain", "kind", "act", "wanted")}, "id": task.id, "reward": reward, "note": note}

    def apart(trial, prepare):  # type: ignore[no-untyped-def] # noqa: ANN001, ANN202
        """Judged in a fork, which gives its answer through a pipe."""
        read, write = os.pipe()
        child = os.fork()
        if not child:
            with os.fdopen(write, "w") as answer:
                json.dump(judged(trial, prepare), answer)
            os._exit(0)
        os.close(write)
        with os.fdopen(read) as answer:
            result = json.loads(answer.read() or "null")
        if os.waitpid(child, 0)[1] or result is None:
            sys.exit("a trial ended without a reward")
        return result

    loaded = {domain: [registry.get_env_constructor(domain)().tools.db for _ in range(2)] for domain in sys.argv[2].split(",")}
    gc.collect()
    gc.freeze()
    for number, line in enumerate(sys.stdin):
        trial = json.loads(line)
        result = apart(trial, watched)
        if number % OWN_HASH_EVERY == 0 and (own := apart(trial, lambda environment: environment)) != result:
            sys.exit(f"the benchmark's own hash says otherwise: {own} and not {result}")
        print(json.dumps(result), flush=True)


main()

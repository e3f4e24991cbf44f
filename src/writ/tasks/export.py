"""Tasks in the form of tau2-bench's tasks.json, for its own runner and evaluator."""

from typing import Any

from writ.schema import Instruction, Task


def tau2_task(task: Task, instruction: Instruction | None = None) -> dict[str, Any]:
    """One task: the gold writes as actions, told values as communicate_info, and the scenario where an instruction is given.

    Source: notes on the benchmark's task schema (data_model/tasks.py of v1.0.1); reward basis DB and COMMUNICATE.
    """
    actions = [
        {"action_id": f"{task.id}_{index}", "name": call.name, "arguments": call.arguments, "info": None} for index, call in enumerate(task.writes)
    ]
    return {
        "id": task.id,
        "description": {"purpose": f"{task.kind}: {len(actions)} writes, evidence burden {task.burden}", "relevant_policies": None, "notes": None},
        "user_scenario": {"persona": (instruction.persona or None) if instruction else None, "instructions": _scenario(task, instruction)},
        "initial_state": None,
        "evaluation_criteria": {
            "actions": actions,
            "communicate_info": [value.value for decision in task.decisions for value in decision.told],
            "nl_assertions": [],
            "reward_basis": ["DB", "COMMUNICATE"],
        },
        "annotations": None,
    }


def _scenario(task: Task, instruction: Instruction | None) -> dict[str, Any]:
    if instruction is None:
        wishes = "; ".join(f"{wish.kind} {wish.slots}" for wish in task.wishes)
        return {
            "domain": task.domain,
            "reason_for_call": wishes,
            "known_info": f"You are user {task.user_id}.",
            "unknown_info": None,
            "task_instructions": ".",
        }
    return {
        "domain": task.domain,
        "reason_for_call": instruction.reason_for_call,
        "known_info": instruction.known_info,
        "unknown_info": instruction.unknown_info or None,
        "task_instructions": instruction.task_instructions,
    }

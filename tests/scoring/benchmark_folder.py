"""A little benchmark over the library desk, in the files that a real one publishes."""

import json

from library_world import library, tasks


def raw_tasks(count=4):
    """The first tasks with a write, as a benchmark writes them down; the last one's gold is refused and leaves no trace."""
    chosen = [task for task in tasks() if task.writes][:count]
    raws = [_raw(str(number), [call.model_dump() for call in task.writes]) for number, task in enumerate(chosen)]
    raws[0]["evaluation_criteria"] |= {"communicate_info": ["1234"], "reward_basis": ["DB", "COMMUNICATE"]}
    raws[1]["evaluation_criteria"] |= {"nl_assertions": ["The agent is kind.", "The agent is brief."], "reward_basis": ["DB", "NL_ASSERTION"]}
    raws[2]["evaluation_criteria"] |= {"nl_assertions": [], "reward_basis": ["DB", "NL_ASSERTION"]}
    refused = {"name": raws[3]["evaluation_criteria"]["actions"][0]["name"], "arguments": {"nonsense": "1"}}
    raws[3]["evaluation_criteria"]["actions"] = [refused]
    return raws


def _raw(number, actions):
    scenario = {
        "domain": "library",
        "reason_for_call": f"Wish {number}.",
        "known_info": "You are you.",
        "unknown_info": None,
        "task_instructions": ".",
    }
    named = [{"action_id": f"{number}_{place}", "info": None, **action} for place, action in enumerate(actions)]
    criteria = {"actions": named, "communicate_info": [], "nl_assertions": None, "reward_basis": ["DB"]}
    return {"id": number, "user_scenario": {"persona": None, "instructions": scenario}, "evaluation_criteria": criteria}


def write_folder(root, raws):
    """The folder that `--benchmark` names."""
    snapshot = library()
    (root / "library").mkdir(parents=True)
    texts = {
        "agent_prompt.txt": snapshot.agent_prompt,
        "user_prompt.txt": snapshot.user_prompt,
        "user_guidelines.md": "",
        "library/db.json": json.dumps(snapshot.database),
        "library/policy.md": snapshot.policy,
        "library/tools.json": json.dumps(list(snapshot.tools)),
        "library/tasks.json": json.dumps(raws),
        "library/split_tasks.json": json.dumps({"base": [raw["id"] for raw in raws], "test": [raws[0]["id"]]}),
    }
    for name, text in texts.items():
        (root / name).write_text(text, encoding="utf-8")
    return root

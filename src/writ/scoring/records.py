"""From one judged trial to its `Score`."""

from writ.schema import Score, Task, Trajectory, Verdict
from writ.scoring.reward import Earned


def score(task: Task, trajectory: Trajectory, verdict: Verdict, earned: Earned | None, writes: int) -> Score:
    """`earned`: the benchmark's reward, for one of its own tasks; else the verdict's counts. `writes`: gold calls that write."""
    reward = verdict.reward if earned is None else earned.reward
    luck_counts = earned is None
    return Score(
        trajectory_id=trajectory.id,
        task_id=task.id,
        domain=task.domain,
        kind=task.kind,
        trial=trajectory.rollout,
        writes=writes,
        burden=task.burden if earned is None else -1,
        tool=task.tool,
        reward=reward,
        parts={} if earned is None else earned.parts,
        cause=verdict.cause if reward != 1.0 or luck_counts else "",
        owner=verdict.owner if reward != 1.0 or luck_counts else None,
        termination=trajectory.termination,
        agent_tokens=trajectory.agent_usage.prompt_tokens + trajectory.agent_usage.completion_tokens,
        user_tokens=trajectory.user_usage.prompt_tokens + trajectory.user_usage.completion_tokens,
    )

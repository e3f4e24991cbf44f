"""Whether a run may begin one more conversation. What is spent is counted by `writ.llm.limits.Budget`; this looks ahead."""

from writ.errors import BudgetReached
from writ.llm import ChatReply, EndpointSettings
from writ.llm.limits import Budget
from writ.schema import Trajectory
from writ.settings import SimulationConfig


class Allowance:
    """The budget of a simulation. A conversation is begun only if it and those in flight would fit at the mean cost of those that ended.

    So few are cut off when the budget is reached, and none after that.
    """

    def __init__(self, config: SimulationConfig) -> None:
        self._config = config
        self._budget = Budget(max_tokens=config.max_tokens, max_cost_usd=config.max_cost_usd)
        self._ended_tokens = 0
        self._ended_usd = 0.0
        self._endings = 0

    def check(self) -> None:
        """Raises: BudgetReached if nothing is left for another request."""
        self._budget.check()

    def spend(self, prices: EndpointSettings, reply: ChatReply) -> None:
        self._budget.spend(reply.prompt_tokens + reply.completion_tokens, prices.cost_usd(reply.prompt_tokens, reply.completion_tokens))

    def end(self, trajectory: Trajectory) -> None:
        """A conversation is over, whatever came of it."""
        tokens, usd = self._cost(trajectory)
        self._ended_tokens += tokens
        self._ended_usd += usd
        self._endings += 1

    def resume(self, trajectory: Trajectory) -> None:
        """An earlier start of this run has paid for this conversation."""
        self._budget.spend(*self._cost(trajectory))
        self.end(trajectory)

    def admits(self, in_flight: int) -> bool:
        """Whether one more conversation fits beside those in flight."""
        growth = 1 + (in_flight + 1) / max(1, self._endings)
        tokens, usd = self._config.max_tokens, self._config.max_cost_usd
        over = (tokens is not None and self._ended_tokens * growth > tokens) or (usd is not None and self._ended_usd * growth > usd)
        return not over and self._budget.reached is None

    def reached(self) -> BudgetReached:
        """The error for a run that cannot begin another conversation."""
        return BudgetReached(
            f"simulation: the budget ({self._bounds()}) is spent but for less than one conversation "
            f"({self._budget.spent_tokens} tokens, {self._budget.spent_usd:.2f} USD so far); "
            "what is finished is kept: start the same command again with a larger budget to go on"
        )

    def _bounds(self) -> str:
        bounds = {"max_tokens": self._config.max_tokens, "max_cost_usd": self._config.max_cost_usd}
        return ", ".join(f"{name}={bound}" for name, bound in bounds.items() if bound is not None)

    def _cost(self, trajectory: Trajectory) -> tuple[int, float]:
        sides = ((self._config.agent, trajectory.agent_usage), (self._config.user, trajectory.user_usage))
        return sum(use.prompt_tokens + use.completion_tokens for _, use in sides), sum(
            prices.cost_usd(use.prompt_tokens, use.completion_tokens) for prices, use in sides
        )

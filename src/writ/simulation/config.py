"""What a simulation is told."""

from pydantic import Field

from writ.llm import EndpointSettings
from writ.schema import Record, execution


class SimulationConfig(Record):
    """Who speaks, how often, and within which limits."""

    agent: EndpointSettings = EndpointSettings(model="writ-scripted")
    """The model that is the agent."""
    user: EndpointSettings = EndpointSettings(model="writ-scripted")
    """The model that is the user simulator."""
    rollouts_per_task: int = Field(1, ge=1)
    """Conversations per task and instruction."""
    max_steps: int = Field(200, ge=1)
    """Moves of agent, user and environment together, as the benchmark counts them."""
    max_errors: int = Field(10, ge=1)
    """Refused tool calls in one conversation, in a row or not."""
    max_regenerated: int = Field(2, ge=0)
    """How often one turn that is empty, or that a guard objects to, is asked for again."""
    guards: bool = True
    """Hold the user simulator to its script (docs: simulation, guards). False: the benchmark's bare protocol, for evaluation."""
    faults: dict[str, float] = {}
    """Rates of labelled faults of the embedded scripted model, by name, such as `{wrong_argument: 0.2}`."""
    seed: int = 0
    """Varies sampling; each conversation's own seed is drawn from it."""

    concurrency: int = execution(64, ge=1)
    """Conversations in flight in one process. Requests in flight are bounded per endpoint."""
    conversation_deadline_s: float = execution(3600.0, gt=0)
    """Most seconds of one conversation; then it is an infrastructure loss."""
    conversation_attempts: int = execution(3, ge=1)
    """How often a conversation is begun that ends in an infrastructure loss."""
    max_tokens: int | None = execution(None, ge=1)
    """Budget of prompt and completion tokens of both sides; reached: exit code 75, and a larger one goes on."""
    max_cost_usd: float | None = execution(None, gt=0)
    """Budget in dollars by the prices of the endpoints; as `max_tokens`."""

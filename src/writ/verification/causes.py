"""The closed list of causes for which a conversation is lost, and who owns each.

The cause of a loss is the first failed check by owner, in the order of `OWNERS`: an agent is never blamed for what a server, the environment, the
task or the simulated user did before.
"""

from collections.abc import Mapping
from typing import NamedTuple

from writ.schema import Owner

OWNERS: tuple[Owner, ...] = ("infrastructure", "environment", "task", "user", "agent")


class Cause(NamedTuple):
    owner: Owner
    meaning: str


CAUSES: Mapping[str, Cause] = {
    "infrastructure": Cause("infrastructure", "a model endpoint gave no usable answer within its deadline and retries"),
    "budget": Cause("infrastructure", "the run's budget of tokens or money ended before the conversation did"),
    "torn_transcript": Cause("environment", "messages are out of order: a tool result without its call, or a call without its result"),
    "tool_mismatch": Cause("environment", "a recorded tool result is not what the environment gives"),
    "task_broken": Cause("task", "the task's gold does not replay"),
    "out_of_scope": Cause("user", "the user gave up although the script goes on"),
    "user_invented": Cause("user", "the user stated an id, address or amount that is in no script and that nobody had said"),
    "user_leaked": Cause("user", "the user said an id that their reference hides"),
    "premature_stop": Cause("user", "the user ended while the agent waited for an answer or was about to act on a yes"),
    "wish_not_voiced": Cause("user", "the user ended without asking for all that the script asks for"),
    "user_error": Cause("user", "the user's model gave an unusable turn"),
    "malformed_arguments": Cause("agent", "a tool call's arguments are not a JSON object"),
    "unknown_tool": Cause("agent", "a call names no tool of the domain"),
    "too_long": Cause("agent", "the conversation ran into the limit on steps"),
    "too_many_errors": Cause("agent", "the environment refused too many calls"),
    "agent_error": Cause("agent", "the agent's model gave an unusable turn"),
    "forbidden_write": Cause("agent", "a write that the policy forbids was attempted"),
    "repeated_write": Cause("agent", "the same write was made twice"),
    "extra_write": Cause("agent", "a write was made that nobody asked for"),
    "missing_write": Cause("agent", "a due write was not made"),
    "wrong_argument": Cause("agent", "a due write was made with another argument"),
    "wrong_end_state": Cause("agent", "the writes are the due ones, and still the end state is another"),
    "missing_fact": Cause("agent", "a value that the user asked for was not said"),
    "not_declined": Cause("agent", "a wish that cannot be granted was not declined by name after the reads that show why"),
    "missing_transfer": Cause("agent", "a case for a human agent was not handed over"),
    "needless_transfer": Cause("agent", "a case was handed over that the agent had to settle"),
    "unidentified": Cause("agent", "the agent wrote before it had established who the user is"),
    "unconfirmed_write": Cause("agent", "a write without a summary of its arguments and the user's yes right before it"),
    "unclear_confirmation": Cause("agent", "the user's answer to the summary is neither a yes nor a no"),
    "ungrounded_argument": Cause("agent", "an argument comes from nowhere: not said, not shown, not derived"),
    "missing_read": Cause("agent", "the reads before a decision do not show that it is right: right by luck"),
    "crowded_turn": Cause("agent", "text and a tool call, or several calls, in one turn although the policy allows one"),
    "tone": Cause("agent", "the optional judge found the tone unfit"),
}

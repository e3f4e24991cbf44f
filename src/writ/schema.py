"""The records that stages exchange. Everything a stage reads or writes is one of these, as one JSON line.

Read in pipeline order: DomainSnapshot, Task (Wish, Decision, Certificate), Instruction (Behavior, Fact), Trajectory, Verdict, Row.
A record never carries a clock, a path or a secret, so equal work gives equal bytes.
"""

import hashlib
import json
from functools import cached_property
from typing import Any, Literal, NamedTuple, TypeAlias

import orjson
from pydantic import BaseModel, ConfigDict, Field

SCHEMA_VERSION = 1
"""Rises when a record changes so that an older file no longer loads."""


class Record(BaseModel):
    """A frozen value with no unknown fields."""

    model_config = ConfigDict(frozen=True, extra="forbid")


def execution(default: Any = ..., **kwargs: Any) -> Any:
    """A config field that changes how a stage runs but not what it makes; it enters no artifact key."""
    return Field(default, json_schema_extra={"execution": True}, **kwargs)


def semantic(config: BaseModel) -> dict[str, Any]:
    """The part of a config that identifies its output: all fields but those declared with `execution`, at every depth."""
    kept: dict[str, Any] = {}
    for name, field in type(config).model_fields.items():
        extra = field.json_schema_extra
        if isinstance(extra, dict) and extra.get("execution"):
            continue
        value = getattr(config, name)
        kept[name] = semantic(value) if isinstance(value, BaseModel) else json.loads(json.dumps(value, default=str))
    return kept


def canonical(value: Any) -> str:
    """One spelling of a JSON value: sorted keys, no spaces. Two values are equal iff their spellings are."""
    try:
        return orjson.dumps(value, option=orjson.OPT_SORT_KEYS).decode()
    except TypeError:  # integers beyond 64 bits, lone surrogates: a model may write them
        return json.dumps(value, sort_keys=True, separators=(",", ":"))


def content_id(prefix: str, value: Any) -> str:
    """`prefix-` and 12 hex digits of the sha256 of the canonical spelling."""
    return f"{prefix}-{hashlib.sha256(canonical(value).encode()).hexdigest()[:12]}"


# ---------------------------------------------------------------------------------------------------------------- calls and messages


class Call(Record):
    """A tool call by meaning: a name and decoded arguments."""

    name: str
    arguments: dict[str, Any] = {}

    @cached_property
    def key(self) -> str:
        """Identity for sets of calls: `name{canonical arguments}`."""
        return self.name + canonical(self.arguments)


class ToolCall(Record):
    """A tool call as a model wrote it."""

    id: str
    name: str
    arguments: str
    """The JSON text of the arguments, byte for byte; it may be malformed."""


class Message(Record):
    """One message in OpenAI chat form. An assistant message holds text or tool calls."""

    role: Literal["system", "user", "assistant", "tool"]
    content: str | None = None
    tool_calls: tuple[ToolCall, ...] = ()
    tool_call_id: str | None = None
    error: bool = False
    """Tool messages only: the environment refused the call."""


# ---------------------------------------------------------------------------------------------------------------- domain


class DomainSnapshot(Record):
    """A domain as one run sees it: the database, and the exact words that the agent is prompted with."""

    name: str
    code: str
    """Where its code is: a built-in name, a dotted module or a folder."""
    database: dict[str, dict[str, Any]]
    policy: str
    tools: tuple[dict[str, Any], ...]
    """OpenAI function schemas, in the order in which they are sent."""
    agent_prompt: str
    """System prompt of the agent, with `{domain_policy}` to fill."""
    user_prompt: str
    """System prompt of the user simulator, with `{instructions}` to fill."""
    origin: str
    """`generated:<seed>:<users>`, with `:deep` behind it where accounts hold more, or `files:<sha256 of db.json>`."""
    license: str
    benchmark_tasks: tuple[dict[str, Any], ...] = ()
    """Tasks found beside the database: what training data must not contain (decontamination)."""


# ---------------------------------------------------------------------------------------------------------------- tasks


class Wish(Record):
    """What the user wants, in terms that the user knows: never an argument that the reference hides."""

    kind: str
    """Name of the domain's wish kind, such as `exchange_items`."""
    slots: dict[str, Any]
    """What the words fix. The wish kind documents its slots."""


class Told(Record):
    """A value that the user asks for and the agent must say; compared as a value, not as text."""

    name: str
    form: Literal["money", "number", "date", "time", "text"]
    value: str
    """Money as `12.34`, dates as `2024-05-25`, times as `18:30`, numbers as `3`."""


Standing: TypeAlias = Literal["winner", "runner_up", "eligible", "excluded"]
"""Of a candidate: `eligible` are those that fit and come after the runner-up."""


class Candidate(Record):
    """One of the things that a reference could have meant."""

    label: str
    values: dict[str, Any]
    """The compared facts, named as the record that holds them does where it can be: price, created_at, cabin. What decides first stands first."""
    status: Standing
    why: str = ""
    """Why it wins, or why it is out, in a few words that name the facts."""
    choice: str = ""
    """What is chosen among, in the plural: `flights from PHX to LAS`. A decision may hold several choices; the candidates of one share it."""


class Rival(Record):
    """A way the unseen part of the database could be that would change the decision."""

    claim: str
    refuters: tuple[Call, ...]
    """The reads that would show it; any one of them is enough."""


class Certificate(Record):
    """Proof that the decision is the only right one, and what must be read to know it. Source: docs/ideas.md, notes on evidence burden."""

    criterion: str = ""
    """What the winner wins by, such as `lowest price`; empty where nothing is compared."""
    candidates: tuple[Candidate, ...] = ()
    """Choice after choice, each from the best to those that are out."""
    margin: float | None = None
    """Distance from the winner to the runner-up, in the criterion's unit; None where nothing is compared."""
    rivals: tuple[Rival, ...]
    plan: tuple[Call, ...]
    """One smallest sufficient set of reads, in an order in which each read's arguments are known."""
    burden: int
    """Size of `plan`: the evidence burden."""
    relevant: int
    """Number of reads in scope: what a careful agent may well make."""


class Decision(Record):
    """What the user's words, the policy and the database fix for one wish."""

    outcome: Literal["act", "deny", "transfer"]
    rule: str = ""
    """Id of the policy clause that denies or transfers."""
    subject: str = ""
    """What it is about, as a person would name it; an agent that declines must name it."""
    mentions: tuple[str, ...] = ()
    """Texts any one of which names the subject: an id, a product, a destination."""
    calls: tuple[Call, ...] = ()
    """Gold writes with all their arguments, in order. Empty unless `act`."""
    told: tuple[Told, ...] = ()
    certificate: Certificate


class Distractor(Record):
    """The wrong writes that a near miss invites. Replayed in place of the gold, they must score 0."""

    mistake: str
    calls: tuple[Call, ...]


class Pair(Record):
    """Membership in a matched pair: the same gold writes told at low and at high burden."""

    id: str
    member: Literal["low", "high"]


class Batch(Record):
    """The unit of retry, sharding and determinism: tasks of one cell, in order, until `wanted` are kept."""

    id: str
    wanted: int


BURDEN_BINS: tuple[tuple[int, int], ...] = ((0, 1), (2, 3), (4, 5), (6, 8), (9, 11), (12, 10_000))


def burden_bin(burden: int) -> str:
    """Name of the grid column of a burden: `0-1`, `2-3`, `4-5`, `6-8`, `9-11` or `12+`."""
    low, high = next(edges for edges in BURDEN_BINS if edges[0] <= burden <= edges[1])
    return f"{low}-{high}" if high < 10_000 else f"{low}+"


class Cell(NamedTuple):
    """A cell of the grid that quotas are dealt over."""

    domain: str
    writes: int
    burden: str
    tool: str
    """The tool of the heaviest write; the rule's id for a refusal without any write."""


Kind = Literal["read_heavy", "write_intensive", "normal", "refusal"]


class Task(Record):
    """A request of one user with a verifiable outcome. `id` is its content: same seed, same tasks."""

    id: str
    domain: str
    kind: Kind
    user_id: str
    wishes: tuple[Wish, ...]
    asks: tuple[str, ...] = ()
    """Each wish in words, in the second person: for people who read the task."""
    decisions: tuple[Decision, ...]
    """One per wish, in the same order; each decided on the database as the ones before left it."""
    ordered: bool = False
    """Permuting the writes changes the end state, so the user's script fixes their order."""
    distractors: tuple[Distractor, ...] = ()
    pair: Pair | None = None
    tool: str
    """Tool of the heaviest write, or the rule of a refusal without a write."""
    burden: int
    relevant: int
    batch: Batch | None = None

    @property
    def writes(self) -> tuple[Call, ...]:
        """All gold writes in order."""
        return tuple(call for decision in self.decisions for call in decision.calls)

    @property
    def cell(self) -> Cell:
        return Cell(self.domain, len(self.writes), burden_bin(self.burden), self.tool)


# ---------------------------------------------------------------------------------------------------------------- instructions


class Fact(Record):
    """Something the user knows and may say."""

    name: str
    value: Any
    text: str
    """Its surface form: the words that appear in the user's turn when it is said."""
    question: str = ""
    """How an agent would ask for it."""
    cues: tuple[str, ...] = ()
    """Lower-case words of a question that ask for it, such as `zip`."""
    wrong: str = ""
    """A plausible wrong surface form, for a user who corrects it in the next turn; empty where none is safe.

    In an instruction at most one fact has it: the one that this user says wrong at first."""
    core: bool = True
    """Said with the wish itself; others may be withheld until asked."""


class Behavior(Record):
    """How the user expresses and reveals a request. One value per axis; sampled so that all pairs of values occur."""

    pace: Literal["all_at_once", "when_asked", "piecemeal"] = "all_at_once"
    identity: Literal["primary", "alternative"] = "primary"
    """Which way of identifying themselves the user knows: the domain's first or its second."""
    tone: Literal["neutral", "friendly", "impatient", "formal"] = "neutral"
    verbosity: Literal["terse", "plain", "chatty"] = "plain"
    order: Literal["as_given", "reversed"] = "as_given"
    """Order of the wishes; `as_given` where the task is ordered."""
    digression: bool = False
    """Once talks about something beside the point."""
    correction: bool = False
    """Says one value wrong at first and corrects it in the next turn."""
    fallback: bool = False
    """First wishes for something that cannot be had, then for the wish of the task."""
    pressure: bool = False
    """Pushes once against a refusal or a rule, then accepts."""


class Instruction(Record):
    """One way in which one user asks for one task. Holds no gold: the scripted model works from it alone."""

    id: str
    task_id: str
    domain: str
    user_id: str
    wishes: tuple[Wish, ...]
    """In the order in which the user voices them."""
    identity: tuple[Fact, ...]
    """What the user can identify themselves with."""
    facts: tuple[tuple[Fact, ...], ...]
    """Per wish: what it takes to understand it."""
    unknown: tuple[str, ...] = ()
    """What the user says they do not know, in words."""
    hidden: tuple[str, ...] = ()
    """Ids that the references hide: the user must not say them first."""
    unavailable: str = ""
    """The wish that cannot be had, in the first person, voiced before the real ones; empty without `behavior.fallback`."""
    behavior: Behavior
    persona: str = ""
    reason_for_call: str
    known_info: str
    unknown_info: str = ""
    task_instructions: str
    wording: Literal["template", "model"] = "template"
    seed: int
    """Varies the scripted model's words."""


# ---------------------------------------------------------------------------------------------------------------- simulation

Termination = Literal["user_stop", "transfer", "out_of_scope", "max_steps", "max_errors", "agent_error", "user_error", "infrastructure", "budget"]


class Usage(Record):
    """What one side of a conversation cost."""

    requests: int = 0
    prompt_tokens: int = 0
    completion_tokens: int = 0


class FaultLabel(Record):
    """A fault that the scripted model made on purpose, written down as it happened."""

    name: str
    turn: int
    """Index of the message that carries it."""
    lethal: bool
    cause: str = ""
    """The cause that verification must find; empty where the fault is benign."""


class Trajectory(Record):
    """A finished conversation. The system prompt and the tools stand in the domain snapshot, not here."""

    id: str
    task_id: str
    instruction_id: str
    domain: str
    rollout: int
    source: Literal["scripted", "model", "playback", "recorded"]
    """Who spoke: `scripted` if either side was."""
    agent: str
    user: str
    """Names of the two models."""
    messages: tuple[Message, ...]
    termination: Termination
    agent_usage: Usage = Usage()
    user_usage: Usage = Usage()
    regenerated: int = 0
    """User turns that a guard sent back."""
    faults: tuple[FaultLabel, ...] = ()
    detail: str = ""
    """What ended it, where `termination` alone does not say."""


# ---------------------------------------------------------------------------------------------------------------- verification

Owner = Literal["infrastructure", "environment", "task", "user", "agent"]
Result = Literal["pass", "fail", "unclear", "not_applicable"]


class Check(Record):
    """One question asked of a conversation. `not_applicable` where its input is missing: never a silent pass."""

    name: str
    result: Result
    cause: str = ""
    """From the closed list of causes; empty unless it failed."""
    owner: Owner | None = None
    detail: str = ""
    turn: int | None = None
    """Index of the message at fault."""


class Origin(Record):
    """Where an argument of a write came from."""

    call: int
    """Index of the message that holds the write."""
    argument: str
    """Path of the leaf, such as `flights.0.date`."""
    value: Any
    kind: Literal["said", "shown", "formula", "none"]
    turn: int | None = None
    """Index of the message where it came from."""
    path: str = ""
    """Path inside the tool output, or the formula's name."""


class Verdict(Record):
    """What verification says of one conversation."""

    trajectory_id: str
    task_id: str
    kept: bool
    reward: float | None
    """1 or 0 by outcome alone (end state and told facts); None where it could not be judged."""
    cause: str = ""
    """Cause of the loss: the first failed check by owner."""
    owner: Owner | None = None
    checks: tuple[Check, ...]
    origins: tuple[Origin, ...] = ()


# ---------------------------------------------------------------------------------------------------------------- dataset


class Row(Record):
    """A training example as TRL loads it. `tools` and the arguments inside `messages` are JSON text (see docs/training.md)."""

    id: str
    split: Literal["train", "held_out"]
    domain: str
    kind: str
    writes: int
    burden: int
    tool: str
    pair: str = ""
    task_id: str
    instruction_id: str
    user_id: str
    source: str
    messages: tuple[dict[str, Any], ...]
    tools: str


# ---------------------------------------------------------------------------------------------------------------- training


class StoredFile(Record):
    """One file of a folder that lies in a store: trained weights, a checkpoint. Its bytes are those of its chunks, joined."""

    name: str
    """Below the folder, such as `model.safetensors` or `adapter/adapter_config.json`."""
    bytes: int
    sha256: str
    """Of the whole file."""
    chunks: tuple[str, ...]
    """sha256 of each chunk, in order; a chunk lies at `<folder>/chunks/<sha256>`."""


# ---------------------------------------------------------------------------------------------------------------- evaluation


class Score(Record):
    """What one trial of one task earned in an evaluation, with what the figures are grouped by."""

    trajectory_id: str
    task_id: str
    domain: str
    kind: str
    trial: int
    writes: int
    burden: int
    """Evidence burden; -1 where nobody proved one (a benchmark's own tasks)."""
    tool: str
    reward: float | None
    """1 or 0; None where it could not be judged (infrastructure, a judge that is away): counted, never averaged in."""
    parts: dict[str, float | None] = {}
    """The reward by part, such as `DB`, `COMMUNICATE`, `NL_ASSERTION` of the benchmark; the reward is their product."""
    cause: str = ""
    """From the closed list of causes: the first failed check, also of a trial that succeeded by luck."""
    owner: Owner | None = None
    termination: Termination
    agent_tokens: int
    """Prompt and completion tokens of the agent."""
    user_tokens: int

"""Every setting of writ, in one frozen tree. It is read once, in `cli.py`; nothing else reads files or the environment for settings.

Fields declared with `execution` change how a run goes, not what it makes: they enter no artifact key.
"""

from typing import Literal

from pydantic import Field, JsonValue, model_validator

from writ.jobs.launch import LaunchConfig
from writ.llm import EndpointSettings
from writ.schema import Behavior, Kind, Record, execution
from writ.storage import S3Settings


class DomainsConfig(Record):
    """Which domains, over which databases."""

    names: tuple[str, ...] = Field(("retail", "airline"), min_length=1)
    """Domains of the run."""
    code: dict[str, str] = {}
    """Where the code of a further domain is: `{library: examples/library}` (a folder with `domain.py`, or a dotted module)."""
    data: str | None = execution(None)
    """Folder with `<domain>/{db.json, policy.md, tasks.json, tools.json}` and two prompt files; None: a generated database.

    The key holds what the files say, not where they stand."""
    users: int = Field(500, ge=1)
    """Users of a generated database."""
    deep: bool = False
    """Accounts of a generated database hold more (three to six orders, five to thirteen trips), so that deep cells of the grid fill."""
    artifact: str | None = execution(None)
    """Key of a `domain` artifact that already stands in the store; the files are then not read. Set where a run is submitted to a cluster."""


class TasksConfig(Record):
    """Which tasks are wanted, and how sure they must be."""

    mix: dict[Kind, float] = {"read_heavy": 0.3, "write_intensive": 0.35, "normal": 0.2, "refusal": 0.15}
    """Shares of kept conversations by kind; they are scaled to sum to 1. A count that holds two for each cell of capacity >= 5 gives each of them one
    before the shares are looked at; a kind of share 0 gets none."""
    pair_share: float = Field(0.1, ge=0, le=0.5)
    """Share of kept conversations that are members of matched pairs; taken out of read_heavy."""
    max_writes: int = Field(6, ge=1, le=6)
    min_margin: float = Field(0.0, ge=0)
    """A superlative's winner must win by more than this, in the criterion's unit (dollars, minutes)."""
    reserve_share: float = Field(0.2, ge=0)
    """Spare tasks per wanted conversation of a cell; at least one per cell where the database has it."""
    batch_size: int = Field(20, ge=1)
    """Wanted conversations per batch."""
    held_out_share: float = Field(0.15, ge=0, lt=1)
    """Share of persons kept out of training data."""
    salt: str = "writ"
    """Deals persons into train and held-out; change it to deal anew."""
    split: Literal["train", "held_out"] = "train"
    """Whose tasks are made."""
    cells: tuple[str, ...] = ()
    """Only tasks of these cells of the grid, as writes and burden: `[1x0-1, 3x6-8]`; empty: of all."""
    without_cells: tuple[str, ...] = ()
    """No tasks of these. Where either is set there are no matched pairs: the halves of one stand in two cells."""
    max_burden: int | None = Field(None, ge=0)
    """Wishes of a higher evidence burden are left out; None: none are."""
    proposals_per_kind: int = Field(6, ge=1)
    """Proposals that are certified per user and kind of wish."""
    workers: int = execution(2, ge=1)
    """Processes that certify."""

    @model_validator(mode="after")
    def _positive(self) -> "TasksConfig":
        if not self.mix or min(self.mix.values()) < 0 or sum(self.mix.values()) <= 0:
            raise ValueError("shares must be >= 0 and not all zero")
        return self


class InstructionsConfig(Record):
    """How wishes are told."""

    per_task: int = Field(1, ge=1)
    """Instructions per task: more than one makes a behavior family."""
    behaviors: dict[str, tuple[str | bool, ...]] = {}
    """Axis of a behavior -> the values that it may take, such as `{pace: [all_at_once], tone: [neutral]}`; an axis that is left out takes all."""
    paraphrase: bool = False
    """A model rewords the scenario; what breaks the slot ledger is replaced by the template."""
    paraphraser: EndpointSettings = EndpointSettings(model="paraphraser")
    """Used only with `paraphrase`."""

    @model_validator(mode="after")
    def _known(self) -> "InstructionsConfig":
        for axis, values in self.behaviors.items():
            if axis not in Behavior.model_fields or not values:
                raise ValueError(f"behaviors has '{axis}': {list(values)}; axes are {', '.join(Behavior.model_fields)}, each with at least one value")
            for value in values:
                Behavior.model_validate({axis: value}, strict=True)
        return self


class SimulationConfig(Record):
    """Who speaks, how often, and within which limits."""

    agent: EndpointSettings = EndpointSettings()
    """The model that is the agent; without a URL, the embedded scripted model."""
    user: EndpointSettings = EndpointSettings()
    """The model that is the user simulator; without a URL, the embedded scripted model."""
    rollouts_per_task: int = Field(1, ge=1)
    """Conversations per task and instruction."""
    max_steps: int = Field(200, ge=1)
    """Moves of agent, user and environment together, as the benchmark counts them."""
    max_errors: int = Field(10, ge=1)
    """Refused tool calls in one conversation, in a row or not."""
    guards: bool = True
    """Hold the user simulator to its script (docs: simulation, guards). False: the benchmark's bare protocol, for evaluation."""
    max_regenerated: int = Field(2, ge=0)
    """Times that one turn which a guard sends back is asked again."""
    seed: int = 0
    """Varies sampling; each conversation's own seed is drawn from it and from the run's seed."""
    faults: dict[str, float] = {}
    """Rates in [0, 1] of labelled faults of the embedded scripted model, by name, such as `{wrong_argument: 0.2}`."""

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


class VerificationConfig(Record):
    """What a kept conversation must pass."""

    required: tuple[str, ...] = ()
    """Names of checks (`writ stages --checks` lists them); empty: all of them."""
    judge: EndpointSettings | None = None
    """An optional model that judges the agent's tone, in conversations that all else keeps; its failure is `unclear`, and loses none."""


class DatasetConfig(Record):
    """What leaves: how many rows, in which splits and files."""

    count: int = Field(200, ge=1)
    """Wanted kept conversations."""
    min_kept_share: float = Field(0.5, ge=0, le=1)
    """Below this share of kept among attempted conversations the run ends with exit code 3."""
    near_duplicate: float = Field(0.9, gt=0, le=1)
    """Estimated Jaccard similarity of masked word shingles from which one of two conversations is removed."""
    ngram_words: int = Field(13, ge=3)
    """Words per n-gram of the text overlap test against benchmark tasks."""
    formats: tuple[Literal["jsonl", "parquet", "sharegpt", "preferences"], ...] = ("jsonl", "parquet", "sharegpt", "preferences")
    allow_scripted: bool = True
    """Rows of the scripted model may be written; the card says so, and training refuses them unless allowed there too."""


class EvaluationConfig(Record):
    """How models are measured: on held-out tasks, or on a benchmark's own."""

    trials: int = Field(4, ge=1)
    """Conversations per task; pass^k is known up to this k."""
    benchmark_split: str = execution("base")
    """Which list of `split_tasks.json` is run."""
    models: dict[str, str] = execution({})
    """Name -> URL of the models to measure as the agent, as `--model` names them; empty: the one of `simulation.agent`."""
    picked: dict[str, tuple[str, ...]] = {}
    """Domain -> ids of the benchmark's tasks; filled from the split by `writ evaluate --benchmark`. Empty: held-out tasks."""
    judge: EndpointSettings | None = None
    """The model that judges the benchmark's NL assertions; without it, or where it fails, they are unknown, never 0."""
    resamples: int = execution(2000, ge=100)
    """Bootstrap resamples of the tasks."""
    confidence: float = execution(0.95, gt=0.5, lt=1)
    """Of the intervals."""


class TrainingConfig(Record):
    """How a model is trained on the rows. `recipes/` has one file per model."""

    model: str = "tiny"
    """A folder or hub name of weights and tokenizer; `tiny`: a small model with random weights, made on the spot."""
    revision: str | None = None
    """Commit of the weights on the hub."""
    template: Literal["own", "compact"] = "own"
    """The model's own chat template; or, for `tiny`, one that shows the talk alone, without the policy and the tools."""
    vocabulary_tokens: int = Field(2000, ge=300)
    """Of the tokenizer that is made for `tiny`."""
    template_options: dict[str, JsonValue] = {}
    """Given to the chat template; a server must be given the same, as `simulation.agent.extra_body.chat_template_kwargs`."""
    method: Literal["lora", "full"] = "full"
    """Train all weights, or low-rank adapters beside frozen ones."""
    max_length_tokens: int = Field(32_768, ge=64)
    """Longest row; see `overlong`. Nothing is ever cut."""
    overlong: Literal["error", "exclude"] = "error"
    """What becomes of a longer row: the command ends, or the row is left out and listed in the card."""
    allow_scripted: bool = False
    """Train on rows of the embedded scripted model too."""
    epochs: float = Field(2.0, gt=0)
    """Times that every row is seen."""
    max_steps: int = Field(-1, ge=-1)
    """Optimizer steps; -1: as many as `epochs` needs."""
    learning_rate: float = Field(1e-5, gt=0)
    """Peak of the schedule."""
    warmup_steps: int = Field(10, ge=0)
    """Optimizer steps until the peak."""
    rows_per_step: int = Field(16, ge=1)
    """Rows per optimizer step, over all devices; in packs, packs."""
    rows_at_once: int = execution(1, ge=1)
    """Rows per forward pass of a device; `rows_per_step` must be a multiple of it times the devices."""
    devices: int = execution(1, ge=1)
    """GPUs of this machine that train together, one process each (on a CPU: processes)."""
    packing: bool = False
    """Several rows in one sequence of `max_length_tokens`."""
    most_rows: int | None = Field(None, ge=1)
    """A budget: rows are taken in an order that the seed draws, until there are so many."""
    most_tokens: int | None = Field(None, ge=1)
    """A budget: rows are taken so until they hold so many tokens, the last one whole."""
    lora_rank: int = Field(32, ge=1)
    """Rank of the adapters; used only with `lora`, as `lora_alpha`."""
    lora_alpha: int = Field(64, ge=1)
    """Their scale is `lora_alpha / lora_rank`."""
    seed: int = 0
    """Order of the rows, and new weights."""
    save_steps: int = execution(50, ge=1)
    """Steps between checkpoints; the same command goes on from the last."""

    @model_validator(mode="after")
    def _divides(self) -> "TrainingConfig":
        if self.rows_per_step % self.rows_at_once:
            raise ValueError(f"rows_per_step={self.rows_per_step} is no multiple of rows_at_once={self.rows_at_once}")
        return self


class ClusterConfig(Record):
    """How `writ submit` and its kin reach a cluster: over the Kubernetes API, or over an Argo Server."""

    server: str = ""
    """URL of an Argo Server, such as `https://argo.example.org:2746`; empty: the Kubernetes API, by kubeconfig or service account."""
    token_env: str = "ARGO_TOKEN"
    """Name of the environment variable with the token for the Argo Server."""
    ca_file: str | None = None
    """Certificates that vouch for the Argo Server; None: the system's."""
    namespace: str = ""
    """Empty: the kubeconfig's, or the pod's own; an Argo Server needs it."""
    context: str = ""
    """Of the kubeconfig; empty: its current one."""


class AblationConfig(Record):
    """Models trained on different conversations at an equal budget, and asked about cells that none of them was trained on."""

    arms: dict[str, dict[str, JsonValue]] = {
        "mixed": {},
        "write_intensive": {"tasks": {"mix": {"write_intensive": 1.0}, "pair_share": 0.0}},
        "read_heavy": {"tasks": {"mix": {"read_heavy": 1.0}, "pair_share": 0.0}},
        "normal": {"tasks": {"mix": {"normal": 1.0}, "pair_share": 0.0}},
    }
    """Arm -> what its settings say otherwise than the rest of the file. The first is what the others are compared with."""
    unseen_cells: tuple[str, ...] = Field(("2x6-8", "4x4-5", "4x9-11"), min_length=1)
    """Cells of the exam, as in `tasks.cells`: no arm gets a conversation of one."""
    exam_seed: int = 8
    """Of the exam's database and tasks; its persons are held out as well."""
    exam_tasks: int = Field(100, ge=1)
    """Of the unseen cells, and as many of the others."""
    budget: Literal["conversations", "tokens"] = "conversations"
    """What all arms have the same number of: that of the arm which has fewest."""
    seeds: tuple[int, ...] = Field((0, 1, 2), min_length=1)
    """Of `training.seed`: order of the rows, which of them fill the budget, and new weights."""


class RunConfig(Record):
    """One run, whole. `writ run --config FILE --set KEY=VALUE` fills it; a field's docstring is its reference."""

    seed: int = 7
    domains: DomainsConfig = DomainsConfig()
    tasks: TasksConfig = TasksConfig()
    instructions: InstructionsConfig = InstructionsConfig()
    simulation: SimulationConfig = SimulationConfig()
    verification: VerificationConfig = VerificationConfig()
    dataset: DatasetConfig = DatasetConfig()
    evaluation: EvaluationConfig = execution(EvaluationConfig())
    training: TrainingConfig = execution(TrainingConfig())
    launch: LaunchConfig = execution(LaunchConfig())
    ablation: AblationConfig = execution(AblationConfig())
    out: str = execution("runs")
    """The store: a folder, or `s3://bucket/prefix`."""
    s3: S3Settings = execution(S3Settings())
    cluster: ClusterConfig = execution(ClusterConfig())
    workers: int = execution(1, ge=1)
    """Processes that simulate."""
    log: Literal["auto", "plain", "json"] = execution("auto")
    """What is told of progress, on standard error: a live display on a terminal and plain lines elsewhere, plain lines, or one JSON object a line."""
    metrics_port: int | None = execution(None, ge=1, le=65535)
    """Where a stage that talks to models exports Prometheus metrics, at `/metrics`; None: nowhere."""
    traces_url: str = execution("", pattern=r"^(https?://\S+)?$")
    """Where OpenTelemetry traces go over OTLP/HTTP, such as `http://collector:4318/v1/traces`: one trace a run, a span for each stage, shard and
    conversation. Empty: nowhere. A token goes into the variable `OTEL_EXPORTER_OTLP_HEADERS`."""

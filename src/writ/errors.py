"""The error tree. A type exists only where some caller treats it differently: the CLI maps each to an exit code.

WritError
├── ConfigError        exit 2   what the user wrote is wrong: a key, a value, a model name, a rejected credential
├── ArtifactError      exit 3   data is torn, altered, missing, empty or of another version
│   └── YieldError     exit 3   the run is whole, but kept less than `dataset.min_kept_share`
├── Unavailable        exit 75  an endpoint or a store is away, or the disk is full: the same command later goes on
│   └── BudgetReached  exit 75  `max_tokens` or `max_cost_usd` is spent: a larger budget goes on
├── OutOfMemory        exit 137  a process that this one started was killed, as the kernel does when memory is short
└── ToolRefused        (data)   an environment's tool refused a call; never leaves a conversation
"""


class WritError(Exception):
    """Base of all that writ raises on purpose. Its text names the subject, the fact and the next action."""

    exit_code = 1


class ConfigError(WritError):
    exit_code = 2


class ArtifactError(WritError):
    exit_code = 3


class YieldError(ArtifactError):
    pass


class Unavailable(WritError):
    exit_code = 75


class BudgetReached(Unavailable):
    pass


class OutOfMemory(WritError):
    exit_code = 137


class ToolRefused(WritError):
    """A tool's refusal, as the agent sees it: `str(error)` is the text behind `Error: `."""

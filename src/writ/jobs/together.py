"""Several processes of this machine that work as one, by torchrun: what one of them fails of, all fail of, and the caller hears it."""

import signal
import threading
import uuid
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from writ.errors import ArtifactError, ConfigError, OutOfMemory, Unavailable, WritError


def together(processes: int, command: Sequence[str], logs: Path, stop: Path) -> None:
    """Runs the command that many times, each told its RANK; their standard errors are shown as they come, with the rank before each line.

    `logs`: a folder for what they say. `stop`: a file that SIGTERM makes, for the processes to look for; torchrun would end each where it is.
    Raises: what the first that failed raised, by its exit code, with the last line that it said; Unavailable where SIGINT ended them.
    """
    from torch.distributed.elastic.multiprocessing import DefaultLogsSpecs, Std
    from torch.distributed.elastic.multiprocessing.api import SignalException
    from torch.distributed.elastic.multiprocessing.errors import ChildFailedError
    from torch.distributed.launcher.api import LaunchConfig, elastic_launch

    how = LaunchConfig(
        min_nodes=1,
        max_nodes=1,
        nproc_per_node=processes,
        run_id=uuid.uuid4().hex,
        role="rank",
        rdzv_backend="c10d",
        rdzv_endpoint="localhost:0",
        max_restarts=0,
        monitor_interval=0.5,
        logs_specs=DefaultLogsSpecs(log_dir=str(logs), tee=Std.ERR),
        signals_to_handle="SIGINT,SIGHUP,SIGQUIT",
    )
    if threading.current_thread() is threading.main_thread():
        signal.signal(signal.SIGTERM, lambda *_: stop.touch())
    try:
        elastic_launch(how, command[0])(*command[1:])
    except ChildFailedError as e:
        rank, failure = e.get_first_failure()
        raise _failed(rank, failure, logs) from e
    except SignalException as e:
        raise Unavailable("the training was told to stop; the same command goes on from its last checkpoint") from e


def _failed(rank: int, failure: Any, logs: Path) -> WritError:
    """The kind of error that the process itself ended with; a signal that it did not survive is want of memory, or somebody's will."""
    code = int(failure.exitcode)
    said = [line for path in logs.glob(f"*/attempt_*/{rank}/stderr.log") for line in path.read_text(errors="replace").splitlines() if line.strip()]
    kinds = {kind.exit_code: kind for kind in (ConfigError, ArtifactError, Unavailable)}
    how = f"was ended by {signal.Signals(-code).name}" if code < 0 else f"ended with exit code {code}"
    kind = OutOfMemory if code == -signal.SIGKILL else kinds.get(code, WritError)
    return kind(f"process {rank} of the training {how}; its last line: {said[-1] if said else 'none'}")

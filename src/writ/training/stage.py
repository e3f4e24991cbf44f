"""The train stage: rows to the files of a model that any server loads."""

import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

from writ.errors import ConfigError
from writ.schema import Row, StoredFile
from writ.settings import TrainingConfig
from writ.training.checkpoints import Checkpoints


@dataclass(frozen=True, slots=True)
class Workshop:
    """What the stage is handed: a disk that may be gone tomorrow, and where what must last is put."""

    scratch: Path
    """An empty folder, the same for all processes of this machine."""
    checkpoints: Checkpoints
    keep: Callable[[Path, str], StoredFile]
    """Makes a file durable under a name."""
    emit: Callable[[str, bytes], None]
    """Puts a file for people beside the artifact."""
    step: Callable[[int], bool]
    """Hears of each optimizer step, and says whether to stop after it."""
    about: Mapping[str, str]
    """What the card says of things that the stage cannot know: the dataset's key, the code's revision."""


def weights_of(config: TrainingConfig) -> str:
    """What a folder of weights holds, so that its name does not stand for it; empty for a model of a hub, and for `tiny`.

    Raises: ConfigError for a path where nothing is.
    """
    folder = Path(config.model)
    if folder.is_dir() and (folder / "config.json").is_file():
        whole = sha256()
        for path in sorted(path for path in folder.iterdir() if path.suffix in (".json", ".safetensors", ".jinja", ".bin", ".model")):
            with path.open("rb") as file:
                for data in iter(lambda file=file: file.read(2**22), b""):  # type: ignore[misc]
                    whole.update(data)
            whole.update(path.name.encode())
        return whole.hexdigest()[:16]
    if config.model.startswith(("/", ".", "~")):
        raise ConfigError(f"training.model '{config.model}' is no folder with a config.json; name one, or a model of the hub")
    return ""


def train(*, config: TrainingConfig, weights: str, rows: Iterable[Row], workshop: Workshop) -> Iterator[StoredFile]:
    """The model's files, in the first of the processes that train; the others yield nothing. `weights`: enters the key, and says nothing here.

    Raises: ConfigError, ArtifactError before the first step; Unavailable where it was told to stop.
    """
    from writ.training.card import card, curve, points
    from writ.training.sft import PROGRESS
    from writ.training.sft import train as fine_tune

    chosen = [row for row in rows if row.split == "train"]
    trained = fine_tune(config, chosen, workshop.scratch, workshop.checkpoints, workshop.step)
    if not trained.main:
        return
    for path in sorted(path for path in workshop.scratch.rglob("*") if path.is_file()):
        name = path.relative_to(workshop.scratch).as_posix()
        if not name.startswith(f"{PROGRESS}/"):
            yield workshop.keep(path, name)
    workshop.emit("README.md", card(trained, config, workshop.about).encode())
    workshop.emit("curve.json", (json.dumps(points(trained.curve)) + "\n").encode())
    workshop.emit("loss.svg", curve(trained.curve))

"""Files that a person names: looked at before the work that fills them, and written whole or not at all."""

import errno
import os
import uuid
from pathlib import Path

import click

from writ.errors import ConfigError, Unavailable, WritError

_NO_SPACE = {errno.ENOSPC, errno.EDQUOT}


class NewFile(click.ParamType[Path]):
    """An option's file to write: refused at once where its folder is not there or takes no file."""

    name = "file"

    def convert(self, value: str | Path, param: click.Parameter | None, ctx: click.Context | None) -> Path:
        path = Path(value)
        if path.is_dir():
            self.fail(f"{path} is a folder; name a file", param, ctx)
        if not path.absolute().parent.is_dir():
            self.fail(f"{path.parent} is no folder that is there; make it, or name another file", param, ctx)
        if not os.access(path if path.exists() else path.absolute().parent, os.W_OK):
            self.fail(f"{path} may not be written; allow it, or name another file", param, ctx)
        return path


def write_file(path: Path, data: bytes | str) -> None:
    """Raises: Unavailable (no space), ConfigError (any other refusal); what stood there before then stands as it was."""
    content = data.encode() if isinstance(data, str) else data
    special = path.exists() and not path.is_file()
    place = path if special else path.with_name(f".{path.name}.{uuid.uuid4().hex[:8]}")
    try:
        place.write_bytes(content)
        if not special:
            place.replace(path)
    except OSError as e:
        if not special:
            place.unlink(missing_ok=True)
        raise _refusal(e, path) from e


def make_folder(path: Path) -> None:
    """Raises: Unavailable, ConfigError as `write_file` does."""
    try:
        path.mkdir(parents=True, exist_ok=True)
    except OSError as e:
        raise _refusal(e, path) from e


def _refusal(e: OSError, path: Path) -> WritError:
    fact = f"{path} cannot be written ({os.strerror(e.errno) if e.errno else e})"
    if e.errno in _NO_SPACE:
        return Unavailable(f"{fact}; free some space and run the same command again")
    return ConfigError(f"{fact}; allow it, or name another")

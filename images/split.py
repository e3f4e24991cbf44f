"""Takes what one kind of image alone needs out of the environment that all share, while the images are built.

split.py LOCK TO=ROOT,ROOT…    moves the distributions ROOT, and what nothing but they require, from site-packages to the folder TO.

An image that needs them puts TO on PYTHONPATH. Runs on the standard library alone.
"""

from __future__ import annotations

import re
import shutil
import sys
import sysconfig
from collections.abc import Iterable, Mapping
from importlib import metadata
from pathlib import Path

_BLOCK = re.compile(r"^([A-Za-z0-9._-]+)==.*?(?=^\S+==|\Z)", re.MULTILINE | re.DOTALL)


def normal(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def direct(lock: str) -> set[str]:
    """The distributions that writ itself requires: the lock says who asked for each."""
    return {normal(block[1]) for block in _BLOCK.finditer(lock) if re.search(r"^\s+#\s+(via )?writ \(pyproject\.toml\)", block[0], re.MULTILINE)}


def required() -> dict[str, set[str]]:
    """Distribution -> what it requires; extras apart."""
    return {
        normal(each.metadata["Name"]): {
            normal(re.split(r"[^A-Za-z0-9._-]", line.strip())[0]) for line in each.requires or () if not re.search(r"extra\s*==", line)
        }
        for each in metadata.distributions()
    }


def closure(roots: Iterable[str], requires: Mapping[str, set[str]]) -> set[str]:
    found: set[str] = set()
    left = list(roots)
    while left:
        name = left.pop()
        if name not in found and name in requires:
            found.add(name)
            left.extend(requires[name])
    return found


def alone(roots: Iterable[str], lock: str, requires: Mapping[str, set[str]]) -> set[str]:
    """`roots` and all that nothing else of writ's requirements leads to."""
    ours = {normal(root) for root in roots}
    return closure(ours, requires) - closure(direct(lock) - ours, requires)


def move(names: set[str], site: Path, to: Path) -> None:
    """Moves the files of distributions. Whole folders at the top: none of ours share one."""
    to.mkdir(parents=True, exist_ok=True)
    for each in list(metadata.distributions(path=[str(site)])):
        if normal(each.metadata["Name"]) in names:
            for top in {Path(file).parts[0] for file in each.files or ()} - {"..", "__pycache__"}:
                if (site / top).exists():
                    shutil.move(site / top, to / top)


if __name__ == "__main__":
    lock_text = Path(sys.argv[1]).read_text()
    tree = required()
    for words in sys.argv[2:]:
        folder, _, roots_text = words.partition("=")
        move(alone(roots_text.split(","), lock_text, tree), Path(sysconfig.get_path("purelib")), Path(folder))

"""Which code this is, for cards: provenance, never identity."""

import os
import subprocess
from pathlib import Path

from writ import __version__


def revision() -> str:
    """`writ 0.1.0 (commit)`: the commit that an image was built from, or the checkout's own."""
    commit = os.environ.get("WRIT_REVISION") or _checkout()
    return f"writ {__version__} ({commit})" if commit else f"writ {__version__}"


def _checkout() -> str:
    """Empty where the code lies in no checkout of its own."""
    root = Path(__file__).resolve().parents[3]
    if not (root / ".git").exists():
        return ""
    try:
        described = ["git", "-C", str(root), "describe", "--always", "--dirty", "--abbrev=40", "--exclude=*"]
        return subprocess.run(described, capture_output=True, text=True, timeout=10, check=True).stdout.strip()
    except (OSError, subprocess.SubprocessError):
        return ""

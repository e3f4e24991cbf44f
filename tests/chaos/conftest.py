"""What `make chaos` does at size, the tests hold in small."""

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parents[2] / "benchmarks"))

from chaos import Lab


@pytest.fixture(scope="session")
def lab(tmp_path_factory):
    """A run of a few conversations that nothing happened to."""
    lab = Lab(tmp_path_factory.mktemp("chaos"), count=6)
    lab.begin()
    return lab

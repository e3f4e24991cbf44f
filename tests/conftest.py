"""Fixtures that any test may ask for."""

from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

settings.register_profile("writ", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("writ")
"""A busy machine is no fault of the code: nothing here judges by the clock."""


@pytest.fixture(scope="session")
def shared() -> Path:
    """The folder of benchmark data that may lie beside the checkout; tests that want it are skipped where it is not."""
    folder = Path(__file__).resolve().parents[2] / "shared"
    if not (folder / "tau2-bench").is_dir():
        pytest.skip(f"the benchmark's data is not beside this checkout ({folder.name}/tau2-bench)")
    return folder

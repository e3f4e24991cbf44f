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


LONG = (
    "test_retail_oracle.py",
    "test_airline_oracle.py",
    "test_faults.py",
    "test_pool.py",
    "test_s3_store.py",
    "test_environment_properties.py",
    "test_limits.py",
    "test_truth.py",
)
"""Modules whose tests try many worlds or wait for many faults: `make test-long` runs them, and so does CI."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if item.path.name in LONG:
            item.add_marker(pytest.mark.long)

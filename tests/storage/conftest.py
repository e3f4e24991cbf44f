from pathlib import Path

import pytest

from fixtures_s3 import moto_server, s3_credentials, s3_proxy, s3_server  # noqa: F401
from writ.storage import Store, open_store


@pytest.fixture(params=["folder", "moto", "versitygw"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Store:
    """Every kind of store in turn, empty."""
    if request.param == "folder":
        return open_store(str(tmp_path / "store"))
    server = request.getfixturevalue("moto_server" if request.param == "moto" else "s3_server")
    return open_store(f"s3://{server.new_bucket()}/a/prefix", s3=server.settings)

"""A small generated store with deep accounts, and the benchmark's database where it is at hand."""

import pytest
from retail_worlds import RETAIL

from writ.domains.database import Database
from writ.domains.retail.tools import RetailTools


@pytest.fixture(scope="session")
def generated():
    return Database.from_tables(RETAIL.generate(7, 60, deep=True), RetailTools.shape)


@pytest.fixture(scope="session")
def real(shared):
    return Database.load(shared / "tau2-bench" / "retail" / "db.json", RetailTools.shape)


@pytest.fixture(params=["generated", "real"])
def database(request):
    return request.getfixturevalue(request.param)

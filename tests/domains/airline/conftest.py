"""A small generated airline with deep accounts, and the benchmark's database where it is at hand."""

import pytest
from airline_worlds import AIRLINE

from writ.domains.airline.tools import AirlineTools
from writ.domains.database import Database


@pytest.fixture(scope="session")
def generated():
    return Database.from_tables(AIRLINE.generate(7, 60, deep=True), AirlineTools.shape)


@pytest.fixture(scope="session")
def real(shared):
    return Database.load(shared / "tau2-bench" / "airline" / "db.json", AirlineTools.shape)


@pytest.fixture(params=["generated", "real"])
def database(request):
    return request.getfixturevalue(request.param)

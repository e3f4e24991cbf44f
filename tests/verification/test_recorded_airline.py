"""What a user's reasons decide is not held against an agent where no script says them."""

import json

import pytest

from writ.domains.registry import open_domain
from writ.domains.sources import snapshots
from writ.settings import DomainsConfig
from writ.verification.foreign import read_foreign
from writ.verification.stage import judge


@pytest.fixture(scope="module")
def airline():
    (snapshot,) = snapshots(DomainsConfig(names=("airline",), users=60), seed=7, content="")
    return open_domain(snapshot)


@pytest.fixture(scope="module")
def insured(airline):
    """A trip that only a covered reason lets be cancelled: insured, old, not business, not flown."""
    trips = airline.database.tables["reservations"].values()
    return next(
        trip
        for trip in trips
        if trip["insurance"] == "yes"
        and trip["status"] != "cancelled"
        and trip["cabin"] != "business"
        and trip["created_at"] < "2024-05-14T00:00:00"
        and all(flight["date"] > "2024-05-16" for flight in trip["flights"])
    )


@pytest.mark.parametrize(("words", "result"), [("I fell ill, cancel it please", "pass"), ("I just do not feel like it", "fail")])
def test_cancellation_is_against_the_policy_unless_the_user_gave_a_covered_reason(airline, insured, tmp_path, words, result):
    call = {"id": "a", "name": "cancel_reservation", "arguments": {"reservation_id": insured["reservation_id"]}}
    talk = [{"role": "user", "content": words}, {"role": "assistant", "tool_calls": [call]}]
    path = tmp_path / "talk.json"
    path.write_text(json.dumps({"messages": talk}))
    [foreign] = read_foreign(path, "airline")
    checks = {check.name: check.result for check in judge(airline, foreign.trajectory, None, None, certified=False).checks}
    assert checks["policy"] == result

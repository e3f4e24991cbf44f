"""Nothing that a domain proposes depends on the order in which this process keeps its sets."""

import os
import subprocess
import sys

import pytest

PROPOSE = """
import hashlib
from random import Random
from writ.domains.database import Database
from writ.domains.environment import Environment
from writ.domains.registry import load_domain
digest = hashlib.sha256()
for name in ("retail", "airline"):
    domain = load_domain(name)
    database = Database.from_tables(domain.generate(7, 20, deep=True), domain.toolkit.shape)
    for user_id in domain.persons(database):
        world = Environment(domain.toolkit, database)
        for kind in domain.kinds.values():
            for wish in kind.propose(world, user_id, Random(f"{user_id}{kind.name}")):
                digest.update(wish.model_dump_json().encode())
print(digest.hexdigest())
"""


@pytest.mark.long
def test_every_wish_is_proposed_alike_under_any_seed_of_hashes():
    runs = [
        subprocess.run([sys.executable, "-c", PROPOSE], env={**os.environ, "PYTHONHASHSEED": seed}, capture_output=True, text=True, check=True).stdout
        for seed in ("1", "2", "3")
    ]
    assert len(set(runs)) == 1
    assert runs[0].strip()

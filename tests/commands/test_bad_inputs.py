"""Ten bad inputs for every verb: one line that names subject, fact and next action, the right exit code, nothing half-written."""

import json
import re
import socket
import subprocess

import pytest
from bad_inputs import BAD
from command_line import DESK, LIBRARY, ROOT, writ

from writ.cli import VERBS

pytestmark = pytest.mark.long


@pytest.fixture(scope="module")
def full(tmp_path_factory):
    """A disk without room, or None where none can be mounted."""
    folder = tmp_path_factory.mktemp("full")
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=4k", "tmpfs", str(folder)], capture_output=True, check=False)
    if mounted.returncode:
        yield None
        return
    try:
        (folder / "filler").write_bytes(b"x" * 4096)
        yield folder
    finally:
        subprocess.run(["umount", str(folder)], check=True)


@pytest.fixture(scope="module")
def taken():
    """A port on which somebody listens."""
    with socket.create_server(("127.0.0.1", 0)) as busy:
        yield str(busy.getsockname()[1])


@pytest.fixture(scope="module")
def words(world, endpoints, full, taken):
    run = json.loads(next((world / "store" / "runs").iterdir()).read_text())
    return {
        "RUN": run["run_id"],
        "DOMAIN": run["keys"]["domain"],
        "INSTRUCTIONS": run["keys"]["instructions"],
        "DESK": f"{ROOT}/examples/library",
        "CONFIG": f"{{domains: {{names: [library], code: {DESK}, users: 40}}, dataset: {{count: 4}}}}",
        "TAKEN": taken,
        **endpoints,
        "@full": str(full),
    }


def spelled(arguments, words, world, here):
    """The arguments as typed."""
    for argument in arguments:
        if argument == "LIBRARY":
            yield from LIBRARY
            continue
        for name, value in words.items():
            argument = value if argument == name else argument.replace(f"={name}", f"={value}")
        yield re.sub(r"@(new|to)\b(?!\.|rn)|@(?=\w)", lambda found: str(here / found[1]) if found[1] else f"{world}/", argument)


@pytest.mark.parametrize("verb", sorted(BAD))
def test_bad_input_is_one_line_with_its_next_action_and_exit_code(verb, words, world, tmp_path, monkeypatch):
    monkeypatch.setenv("KUBECONFIG", str(tmp_path / "no-kubeconfig"))
    monkeypatch.chdir(tmp_path)
    wrong = []
    for number, (arguments, code, *named) in enumerate(BAD[verb]):
        if "@full" in arguments and words["@full"] == "None":
            continue
        here = tmp_path / str(number)
        here.mkdir()
        typed = list(spelled(arguments, words, world, here))
        try:
            said = writ(*typed)
        except Exception as e:  # noqa: BLE001 - whatever comes out is the finding
            wrong.append(f"writ {' '.join(arguments)}\n    TRACEBACK {type(e).__name__}: {e}")
            continue
        text = said.err if verb != "doctor" or not said.out else said.err + "".join(line for line in said.out.splitlines() if line.startswith("✕"))
        lines = [line for line in text.splitlines() if line.strip() and not line[:1].islower()]
        print(f"{said.code} writ {' '.join(arguments)}\n    {'//'.join(text.splitlines())}")
        if said.code != code or (code and len(lines) != 1) or not all(name in text for name in named):
            wrong.append(f"writ {' '.join(arguments)}\n    wanted {code} and {named}, got {said.code}: {text}")
        if list(here.rglob("dataset/*/manifest.json")) and code != 3:
            wrong.append(f"writ {' '.join(arguments)}: a dataset was written")
    if wrong:
        pytest.fail("\n".join(wrong), pytrace=False)


def test_every_verb_has_bad_inputs():
    assert set(BAD) == set(VERBS)

"""What a run survives: kills, faulty models, faulty stores, budgets, hostile data. A table of fault × outcome.

    python benchmarks/chaos.py [--kills 20] [--only WORD] [--to chaos.json]

Every row starts `writ run` as its own process, as a person would, harms it, starts it again where that is due, and compares the dataset's
sha256 with that of a run that nothing happened to. Rows over S3 need a server (`tests/fixtures_s3.py` says which) and are skipped without one.
"""

import argparse
import json
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path

sys.path += [str(Path(__file__).parent), str(Path(__file__).parents[1] / "tests")]

from chaos_places import Absent, Place, bucket, folder, full_disk
from chaos_servers import Server, served
from machine import machine

from writ.artifacts import Journal, read_manifest, read_records
from writ.llm.faults import FaultPlan
from writ.pipeline import BY_NAME
from writ.schema import Trajectory, Verdict
from writ.storage import Store

MADE_ONCE = ("domain", "tasks", "instructions")
"""Stages that every row takes over from the unharmed run, so that harm is done where conversations are made."""


@dataclass(frozen=True, slots=True)
class Row:
    """One fault and what came of it."""

    fault: str
    outcome: str
    good: bool | None
    """None: could not be tried here."""
    seconds: float = 0.0


@dataclass(frozen=True, slots=True)
class End:
    """How one process ended."""

    code: int
    seconds: float
    out: str
    errors: str

    @property
    def sha256(self) -> str:
        return next((line.split()[1] for line in self.out.splitlines() if line.startswith("sha256")), "")

    @property
    def last_words(self) -> str:
        return next((line for line in reversed(self.errors.splitlines()) if line.strip()), "")


@dataclass
class Lab:
    """An unharmed run, and what repeats it elsewhere."""

    root: Path
    count: int
    reference: str = ""
    unharmed_s: float = 0.0
    """Of a start that finds tasks made."""
    places: int = field(default=0)

    def begin(self) -> None:
        """Makes the unharmed run."""
        first = Run(self, folder(self.root / "unharmed")).whole()
        if first.code != 0:
            raise SystemExit(f"the unharmed run failed: {first.errors}")
        self.reference = first.sha256
        place = self.fresh()
        self.unharmed_s = Run(self, place).whole().seconds

    def fresh(self, make: Callable[[Path], Place] = folder) -> Place:
        """A place that holds the tasks and nothing else."""
        self.places += 1
        place = make(self.root / f"place-{self.places}")
        for path in sorted((self.root / "unharmed").rglob("*")):
            key = path.relative_to(self.root / "unharmed")
            if path.is_file() and key.parts[0] in MADE_ONCE:
                place.store.put(key.as_posix(), path.read_bytes())
        return place


@dataclass
class Run:
    """`writ run` in a place, with these settings."""

    lab: Lab
    place: Place
    settings: Sequence[str] = ()

    def start(self, verb: Sequence[str] = ("run", "--plain")) -> "subprocess.Popen[str]":
        sets = [f"dataset.count={self.lab.count}", "domains.users=60", *self.place.settings, *self.settings]
        command = [sys.executable, "-m", "writ", *verb, "--out", self.place.url]
        command += [part for each in sets for part in ("--set", each)]
        env = {**os.environ, **self.place.env}
        return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=env, start_new_session=True)

    def whole(self, verb: Sequence[str] = ("run", "--plain")) -> End:
        return ended(self.start(verb))

    def killed(self, after_s: float, number: signal.Signals = signal.SIGKILL) -> End:
        process = self.start()
        try:
            process.wait(after_s)
        except subprocess.TimeoutExpired:
            process.send_signal(number)
        return ended(process)


def ended(process: "subprocess.Popen[str]", within_s: float = 240.0) -> End:
    began = time.monotonic()
    out, errors = process.communicate(timeout=within_s)
    return End(process.returncode, time.monotonic() - began, out, errors)


# ------------------------------------------------------------------------------------------------------------------------------ kills


def kills(lab: Lab, make: Callable[[Path], Place], number: int, draw: random.Random) -> str:
    """Kills at random moments, each resumed, until as many have hit; returns what went wrong, empty if nothing did."""
    hit = nights = 0
    while hit < number:
        place, nights = lab.fresh(make), nights + 1
        durable: dict[str, Trajectory] = {}
        while hit < number:
            if Run(lab, place).killed(draw.uniform(0.3, 1.1 * lab.unharmed_s)).code == 0:
                break
            hit += 1
            wrong = lost_or_torn(lab, place.store, durable)
            if wrong:
                return f"after kill {hit}: {wrong}"
        last = Run(lab, place).whole()
        if last.code != 0 or last.sha256 != lab.reference:
            return f"night {nights} ended with {last.code}, sha256 {last.sha256[:12]}: {last.last_words}"
        made = [trajectory.id for trajectory in trajectories(place.store)]
        if len(set(made)) != len(made) or not durable.keys() <= set(made):
            return f"night {nights}: {len(made)} conversations, {len(set(made))} distinct, {len(durable.keys() - set(made))} lost"
        place.close()
    return ""


def lost_or_torn(lab: Lab, store: Store, durable: dict[str, Trajectory]) -> str:
    """What is in the journal must be what was there before, and more; what has a manifest must be whole."""
    made = {trajectory.id: trajectory for trajectory in trajectories(store)}
    if not made:
        for shelf in shelves(store, "simulate"):
            held = list(Journal(store, "simulate", shelf, Trajectory, lambda each: str(id(each))).load())
            made |= {trajectory.id: trajectory for trajectory in held}
            if len(held) != len({trajectory.id for trajectory in held}):
                return "a conversation is in the journal twice"
    lost = [name for name, trajectory in durable.items() if made.get(name) != trajectory]
    durable.update(made)
    return f"{len(lost)} conversations were durable and are gone or changed" if lost else ""


def shelves(store: Store, stage: str) -> list[str]:
    """Keys of a stage that have anything in the store."""
    return sorted({key.split("/")[1] for key in store.list(f"{stage}/")})


def trajectories(store: Store) -> Iterator[Trajectory]:
    """Of the finished simulation, if there is one."""
    for key in shelves(store, "simulate"):
        manifest = read_manifest(store, "simulate", key)
        if manifest is not None:
            yield from read_records(store, manifest, BY_NAME["simulate"].writes)  # type: ignore[misc]


def verdicts(store: Store) -> Iterator[Verdict]:
    """Of the finished verification, if there is one."""
    for key in shelves(store, "verify"):
        manifest = read_manifest(store, "verify", key)
        if manifest is not None:
            yield from read_records(store, manifest, BY_NAME["verify"].writes)  # type: ignore[misc]


def killed_row(lab: Lab, make: Callable[[Path], Place], number: int) -> Row:
    wrong = kills(lab, make, number, random.Random(4))
    return Row("", wrong or "0 lost, 0 twice, 0 torn; dataset as that of the run never killed", not wrong)


def terminated(lab: Lab) -> Row:
    """SIGTERM in the middle, then the same command again."""
    place = lab.fresh()
    process = Run(lab, place, ["simulation.concurrency=2"]).start()
    wait_for(lambda: any(place.store.list("simulate/")), 60)
    process.send_signal(signal.SIGTERM)
    told = ended(process)
    again = Run(lab, place).whole()
    good = told.code == 75 and told.seconds < 10 and again.sha256 == lab.reference
    return Row("", f"exit {told.code} after {told.seconds:.1f} s; started again: exit {again.code}, same dataset", good)


def terminated_without_store(lab: Lab) -> Row:
    """SIGTERM while the store is away and would be waited for; then the same command again."""
    place = lab.fresh(bucket)
    away: list[float] = []

    def fault(_method: str, path: str, _number: int) -> str:
        if "/simulate/" in path and "journal" in path and not away:
            away.append(time.monotonic())
        return "reset" if away else "pass"

    with place.proxy(fault) as faulty:
        process = Run(lab, faulty, ["s3.retry_within_s=300"]).start()
        wait_for(lambda: bool(away), 120)
        time.sleep(2)
        process.send_signal(signal.SIGTERM)
        told = ended(process)
    again = Run(lab, place).whole()
    good = told.code == 75 and told.seconds < 10 and again.sha256 == lab.reference
    return Row("", f"exit {told.code} after {told.seconds:.1f} s; started again: exit {again.code}, same dataset", good)


def one_shard_twice(lab: Lab) -> Row:
    """Two copies of one of two shards at once, then the other, then the whole."""
    place = lab.fresh()
    copies = [Run(lab, place).start(("stage", "simulate", "--shards", "2", "--shard", "0")) for _ in range(2)]
    ends = [ended(each) for each in copies]
    other = Run(lab, place).whole(("stage", "simulate", "--shards", "2", "--shard", "1"))
    joined = Run(lab, place).whole(("stage", "simulate", "--shards", "2", "--join"))
    last = Run(lab, place).whole()
    manifests = [key for key in place.store.list("simulate/") if key.endswith("manifest.json") and "000-of-002" in key]
    codes = [each.code for each in (*ends, other, joined, last)]
    good = codes == [0] * 5 and len(manifests) == 1 and last.sha256 == lab.reference
    return Row("", f"exit {codes[0]} and {codes[1]}, {len(manifests)} manifest; joined with the other: same dataset", good)


def twice_at_once(lab: Lab) -> Row:
    place = lab.fresh()
    both = [Run(lab, place).start() for _ in range(2)]
    ends = [ended(each) for each in both]
    good = all(each.code == 0 and each.sha256 == lab.reference for each in ends) and len(shelves(place.store, "simulate")) == 1
    return Row("", f"exit {ends[0].code} and {ends[1].code}, one manifest, same dataset", good)


# ------------------------------------------------------------------------------------------------------------------------- the models

DEADLINE_S = 3
PATIENT = tuple(f"simulation.{role}.call_deadline_s={DEADLINE_S}" for role in ("agent", "user"))


def at(server: Server) -> list[str]:
    return [f"simulation.{role}.base_url={server.url}" for role in ("agent", "user")]


def faulty_model(plan: FaultPlan) -> Callable[[Lab], Row]:
    """A run against a server that fails as planned, on the wire."""

    def row(lab: Lab) -> Row:
        place = lab.fresh()
        with served(place.store, plan) as server:
            end = Run(lab, place, [*PATIENT, *at(server)]).whole()
            injected = ", ".join(f"{name} {number}" for name, number in sorted(server.injected.items()))
            injected += f"; no request outlived {server.longest_s:.1f} s (deadline {DEADLINE_S} s)"
            in_time = server.longest_s < DEADLINE_S + 5
        same = "same dataset" if end.sha256 == lab.reference else f"another dataset: {end.last_words}"
        return Row("", f"exit {end.code}, {same}; {injected}", end.code == 0 and end.sha256 == lab.reference and in_time)

    return row


def restarted_model(lab: Lab) -> Row:
    place = lab.fresh()
    with served(place.store, FaultPlan(latency_s=0.02)) as server:
        process = Run(lab, place, [*PATIENT, *at(server)]).start()
        wait_for(lambda: server.asked > 40, 60)
        server.away_s(4.0)
        end = ended(process)
    return Row("", f"away for 4 s in the middle: exit {end.code}, same dataset", end.code == 0 and end.sha256 == lab.reference)


def unknown_name(lab: Lab) -> Row:
    place = lab.fresh()
    with served(place.store, FaultPlan()) as server:
        named = [f"simulation.{role}.model=gpt-unknown" for role in ("agent", "user")]
        end = Run(lab, place, [*at(server), *named]).whole()
    good = end.code == 2 and end.seconds < 30 and not any(place.store.list("simulate/"))
    return Row("", f"exit {end.code} after {end.seconds:.1f} s, before any work", good)


def misled(lab: Lab) -> Row:
    """Wrong tool names, arguments that are no JSON and 40 kB of text. Losses have causes, and no conversation takes another with it."""
    unharmed, place = lab.fresh(), lab.fresh()
    with served(unharmed.store, FaultPlan()) as server:
        Run(lab, unharmed, at(server)).whole()
    rates = {"unknown_tool": 0.2, "malformed_arguments": 0.2}
    with served(place.store, FaultPlan(long_text=0.02), rates) as server:
        end = Run(lab, place, at(server)).whole()
        long = server.injected["long_text"]
    well = {each.id: each.messages for each in trajectories(unharmed.store)}
    made = list(trajectories(place.store))
    struck = [each for each in made if each.faults or any(len(message.content or "") > 30_000 for message in each.messages)]
    taken = [each for each in made if each not in struck and each.id in well and well[each.id] != each.messages]
    causes = Counter(verdict.cause for verdict in verdicts(place.store) if not verdict.kept)
    told = ", ".join(f"{cause} {number}" for cause, number in causes.most_common())
    good = end.code in (0, 3) and bool(struck) and not taken and causes.total() <= len(struck)
    return Row("", f"exit {end.code}; {len(made)} conversations, {len(struck)} struck ({long} long texts); lost: {told}; 0 others changed", good)


def budget(limit: str, small: str, large: str) -> Callable[[Lab], Row]:
    """A limit that is reached in the middle, then a larger one."""
    priced = [f"simulation.{role}.usd_per_million_{kind}_tokens=1" for role in ("agent", "user") for kind in ("prompt", "completion")]

    def row(lab: Lab) -> Row:
        place = lab.fresh()
        first = Run(lab, place, [*priced, f"simulation.{limit}={small}"]).whole()
        again = Run(lab, place, [*priced, f"simulation.{limit}={large}"]).whole()
        good = first.code == 75 and again.code == 0 and again.sha256 == lab.reference
        return Row("", f"exit {first.code}: {first.last_words[:60]}…; with a larger budget exit {again.code}, same dataset", good)

    return row


def never_filled(lab: Lab) -> Row:
    """An agent that always acts wrongly where it can: cells that stay empty, however often they are tried."""
    place = lab.fresh()
    harm = ["simulation.faults={wrong_argument: 1.0, missing_write: 1.0}"]
    first = Run(lab, place, harm).whole()
    losses = [verdict.cause for verdict in verdicts(place.store) if not verdict.kept]
    began = time.monotonic()
    again = Run(lab, place, harm).whole()
    good = first.code == again.code == 3 and "min_kept_share" in first.errors and bool(losses)
    return Row("", f"exit {first.code}: {first.last_words[:70]}…; again: exit {again.code} after {time.monotonic() - began:.0f} s", good)


def finished_again(lab: Lab) -> Row:
    place = lab.fresh()
    with served(place.store, FaultPlan()) as server:
        Run(lab, place, at(server)).whole()
        asked = server.asked
        again = Run(lab, place, at(server)).whole()
        calls = server.asked - asked
    return Row("", f"{calls} model calls, exit {again.code} after {again.seconds:.1f} s", calls == 0 and again.sha256 == lab.reference)


# -------------------------------------------------------------------------------------------------------------------------- the store


def altered_part(lab: Lab) -> Row:
    place = lab.fresh()
    Run(lab, place).whole()
    part = next(key for key in place.store.list("simulate/") if "part-" in key)
    data = bytearray(place.store.get(part))
    data[len(data) // 2] ^= 1
    place.store.put(part, bytes(data))
    for key in [key for stage in ("verify", "dataset", "report") for key in place.store.list(f"{stage}/")]:
        place.store.delete(key)
    end = Run(lab, place).whole()
    named = part.rsplit("/", 1)[1] in end.errors
    return Row("", f"exit {end.code}, the object is {'named' if named else 'not named'}", end.code == 3 and named)


def no_space(lab: Lab) -> Row:
    place = lab.fresh(full_disk)
    full = Run(lab, place).whole()
    place.grow()
    again = Run(lab, place).whole()
    place.close()
    good = full.code == 75 and again.code == 0 and again.sha256 == lab.reference
    return Row("", f"exit {full.code}: {full.last_words[-60:]}; with space again exit {again.code}, same dataset", good)


def failing_s3(lab: Lab) -> Row:
    place = lab.fresh(bucket)
    with place.proxy(lambda _method, _path, number: "503" if number % 10 == 3 else "pass") as faulty:
        end = Run(lab, faulty).whole()
    return Row("", f"exit {end.code}, same dataset", end.code == 0 and end.sha256 == lab.reference)


def away_s3(seconds: float, patience_s: float) -> Callable[[Lab], Row]:
    """The store goes away in the middle; it is ridden through, or the run ends with 75, and is started again each time that it does."""

    def row(lab: Lab) -> Row:
        place = lab.fresh(bucket)
        down: list[float] = []

        def fault(_method: str, path: str, _number: int) -> str:
            if "/simulate/" in path and "journal" in path and not down:
                down.append(time.monotonic())
            return "reset" if down and time.monotonic() - down[0] < seconds else "pass"

        codes: list[int] = []
        with place.proxy(fault) as faulty:
            while codes.count(75) == len(codes) <= seconds / patience_s + 2:
                end = Run(lab, faulty, [f"s3.retry_within_s={patience_s:g}"]).whole()
                codes.append(end.code)
        good = (len(codes) == 1) == (seconds < patience_s) and end.code == 0 and end.sha256 == lab.reference
        went = f"exit 75 {len(codes) - 1} times, then exit {end.code}" if codes[1:] else f"exit {end.code}"
        return Row("", f"{went}, same dataset" if good else went, good)

    return row


def reads_of_a_finished_shard(lab: Lab) -> Row:
    place = lab.fresh(bucket)
    Run(lab, place).whole()
    with place.proxy(lambda *_: "pass") as watched:
        end = Run(lab, watched).whole(("stage", "simulate"))
        reads = len(watched.requests)
    return Row("", f"{reads} requests to the store, exit {end.code}", end.code == 0 and reads <= 2)


# ------------------------------------------------------------------------------------------------------------------------ hostile data

_RETAIL = '{"products": {}, "users": {}, "orders": {}}'
HOSTILE: Mapping[str, bytes] = {
    "NaN": _RETAIL.replace("{}", '{"a": NaN}', 1).encode(),
    "invalid UTF-8": b'{"products": {"\xff\xfe": {}}}',
    "an id twice": b'{"products": {"p": {}, "p": {}}, "users": {}, "orders": {}}',
    "100,000 brackets": b"[" * 100_000,
    "a million keys": json.dumps({"products": {str(number): 0 for number in range(1_000_000)}}).encode(),
    "cut in half": _RETAIL[:20].encode(),
    "another shape": b'{"products": [], "users": 3}',
}


def hostile_files(lab: Lab) -> Row:
    """A benchmark's folder whose database is hostile: an error of one line and exit code 2 or 3, within seconds."""
    wrong, slowest = [], 0.0
    for name, data in HOSTILE.items():
        data_folder = lab.root / "hostile" / name.replace(" ", "-").replace(",", "")
        (data_folder / "retail").mkdir(parents=True)
        for file in ("agent_prompt.txt", "user_prompt.txt", "user_guidelines.md"):
            (data_folder / file).write_text("x")
        for file in ("policy.md", "tools.json", "tasks.json"):
            (data_folder / "retail" / file).write_text("[]")
        (data_folder / "retail" / "db.json").write_bytes(data)
        run = Run(lab, folder(lab.root / "hostile-places" / data_folder.name), ["domains.names=[retail]", f"domains.data={data_folder}"])
        end = run.whole(("stage", "domain"))
        slowest = max(slowest, end.seconds)
        if end.code not in (2, 3) or "Traceback" in end.errors:
            wrong.append(f"{name}: exit {end.code}, {end.last_words[:80]}")
    return Row("", "; ".join(wrong) or f"exit 2 or 3 and one line for each, at most {slowest:.0f} s", not wrong)


# ------------------------------------------------------------------------------------------------------------------------------- table


def rows(kill_count: int) -> dict[str, Callable[[Lab], Row]]:
    """Every fault, by name."""
    limited = FaultPlan(rate_limited=0.1, rate_limited_with_hint=0.1, retry_after_s=1)
    broken = FaultPlan(hang=0.01, reset=0.02, truncated=0.02, invalid_json=0.02, empty_choices=0.02)
    return {
        f"SIGKILL at {kill_count} random moments, folder": lambda lab: killed_row(lab, folder, kill_count),
        f"SIGKILL at {kill_count} random moments, S3": lambda lab: killed_row(lab, bucket, kill_count),
        "SIGTERM": terminated,
        "SIGTERM while the store is away": terminated_without_store,
        "two copies of a run at once": twice_at_once,
        "two copies of a shard at once": one_shard_twice,
        "a finished run started again": finished_again,
        "model: 20 % 429, half with Retry-After": faulty_model(limited),
        "model: 5 % 500, 2 % 503": faulty_model(FaultPlan(server_error=0.05, overloaded=0.02)),
        "model: 1 % hang; 2 % each reset, cut, invalid JSON, no choices": faulty_model(broken),
        "model: restart in the middle": restarted_model,
        "model: unknown name": unknown_name,
        "model: wrong tools, arguments that are no JSON, 40 kB of text": misled,
        "budget of tokens reached": budget("max_tokens", "60000", "60000000"),
        "budget of money reached": budget("max_cost_usd", "0.06", "60"),
        "cells that can never be filled": never_filled,
        "store: a part altered by one byte": altered_part,
        "store: disk full": no_space,
        "store: S3 answers 10 % 503": failing_s3,
        "store: S3 away for 30 s (patience 90 s)": away_s3(30, 90),
        "store: S3 away for 25 s (patience 5 s)": away_s3(25, 5),
        "store: S3 away for 600 s (patience 90 s)": away_s3(600, 90),
        "store: reads of a finished shard": reads_of_a_finished_shard,
        "database files: NaN, torn, huge, nested, ids twice": hostile_files,
    }


def wait_for(condition: Callable[[], bool], within_s: float) -> None:
    until = time.monotonic() + within_s
    while not condition() and time.monotonic() < until:
        time.sleep(0.02)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--kills", type=int, default=20, help="per store")
    parser.add_argument("--count", type=int, default=24, help="conversations of a run")
    parser.add_argument("--only", default="", help="only rows whose name holds one of these words, with commas between")
    parser.add_argument("--to", type=Path, default=Path("chaos.json"))
    options = parser.parse_args()
    root = Path(tempfile.mkdtemp(prefix="writ-chaos-"))
    try:
        made = table(
            Lab(root, options.count),
            {name: row for name, row in rows(options.kills).items() if any(word in name for word in options.only.split(","))},
        )
    finally:
        shutil.rmtree(root, ignore_errors=True)
    options.to.write_text(json.dumps({"machine": machine(), "rows": [asdict(row) for row in made]}, indent=1) + "\n", encoding="utf-8")
    sys.exit(any(row.good is False for row in made))


def table(lab: Lab, chosen: Mapping[str, Callable[[Lab], Row]]) -> list[Row]:
    """Tries each and prints its row."""
    print(machine())
    lab.begin()
    print(f"runs of {lab.count} conversations; unharmed: {lab.unharmed_s:.1f} s, sha256 {lab.reference[:12]}\n")
    made = []
    for name, try_it in chosen.items():
        began = time.monotonic()
        try:
            row = try_it(lab)
        except Absent as e:
            row = Row("", f"not tried: {e}", None)
        row = Row(name, row.outcome, row.good, round(time.monotonic() - began, 1))
        made.append(row)
        print(f"{ {True: 'ok  ', False: 'FAIL', None: 'skip'}[row.good] } {name:<62} {row.seconds:>6.1f} s  {row.outcome}", flush=True)
    return made


if __name__ == "__main__":
    main()

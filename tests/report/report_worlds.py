"""Conversations made by hand for the page: kept and lost ones at a library desk, and hostile ones."""

import json
from collections.abc import Iterable, Sequence
from functools import cache
from pathlib import Path
from typing import NamedTuple

from writ.artifacts import ArtifactWriter, Run, run_id, write_run
from writ.domains.registry import load_domain
from writ.pipeline import STAGES
from writ.report.stage import write_report
from writ.schema import (
    Batch,
    Behavior,
    Call,
    Candidate,
    Certificate,
    Check,
    Decision,
    Distractor,
    DomainSnapshot,
    FaultLabel,
    Instruction,
    Message,
    Origin,
    Rival,
    Row,
    Task,
    Told,
    ToolCall,
    Trajectory,
    Usage,
    Verdict,
    Wish,
)
from writ.settings import RunConfig
from writ.storage.file import LocalStore

LIBRARY = Path(__file__).parents[2] / "examples" / "library"
HOSTILE = (
    '<script>window.pwned=1</script></script><img src=x onerror="window.pwned=1"> ]]> <!-- </style><iframe src="http://evil.example/">'
    " \u202egnp.exe\u2066 \u0000\u001b[31m \U0001f4a5 javascript:alert(1)"
)
CERTIFICATE = {"benchmarks": {"library": {"tasks": 3}}, "rows_examined": 2, "removed": {"person": 1, "records": 0, "gold": 0, "text": 0}}
CERTIFICATE |= {"ngram_words": 13, "rows_with_a_benchmark_gold_after_masking_ids": 0, "environment_overlap": {"library": "tools and rules only"}}


class Made(NamedTuple):
    task: Task
    instruction: Instruction
    trajectory: Trajectory
    verdict: Verdict


@cache
def snapshot() -> DomainSnapshot:
    library = load_domain(str(LIBRARY))
    return DomainSnapshot(
        name="library",
        code=str(LIBRARY),
        database=library.generate(3, 12),
        policy=library.policy,
        tools=tuple(library.toolkit.schemas()),
        agent_prompt="{domain_policy}",
        user_prompt="{instructions}",
        origin="generated:3:12",
        license="Apache-2.0",
    )


def calls(turn: int, *named: tuple[str, dict[str, object]]) -> Message:
    return Message(role="assistant", tool_calls=tuple(ToolCall(id=f"c{turn}{i}", name=n, arguments=json.dumps(a)) for i, (n, a) in enumerate(named)))


def result(turn: int, value: object, call: int = 0, *, error: bool = False) -> Message:
    return Message(role="tool", content=value if isinstance(value, str) else json.dumps(value), tool_call_id=f"c{turn}{call}", error=error)


def task(number: int, *, burden: int = 3, kind: str = "normal", label: str = "The Salt Island, audiobook (e572)") -> Task:
    read = Call(name="get_edition", arguments={"edition_id": "e572"})
    editions = "editions of The Salt Island"
    winner = Candidate(label=label, values={"year": 2002}, status="winner", why="has the newest edition", choice=editions)
    loser = Candidate(label="The Salt Island, large print (e571)", values={"year": 1971}, status="runner_up", choice=editions)
    out = Candidate(label="The Salt Island, lost copy (e570)", values={"year": 2010}, status="excluded", why="cannot be lent", choice=editions)
    certificate = Certificate(
        criterion="newest edition",
        candidates=(loser, out, winner),
        margin=31.0,
        rivals=(Rival(claim="e572 cannot be lent", refuters=(read,)),),
        plan=(Call(name="get_member", arguments={"member_id": "m1"}), read),
        burden=burden,
        relevant=burden + 1,
    )
    gold = Call(name="place_hold", arguments={"member_id": "m1", "edition_id": "e572", "branch": "South"})
    decision = Decision(
        outcome="act", subject="The Salt Island", calls=(gold,), told=(Told(name="queue", form="number", value="2"),), certificate=certificate
    )
    wrong = gold.model_copy(update={"arguments": gold.arguments | {"edition_id": "e571"}})
    return Task(
        id=f"library-{number:012x}",
        domain="library",
        kind=kind,  # type: ignore[arg-type]
        user_id="m1",
        wishes=(Wish(kind="place_hold", slots={"title": "The Salt Island"}),),
        decisions=(decision,),
        distractors=(Distractor(mistake="takes another edition", calls=(wrong,)),),
        tool="place_hold",
        burden=burden,
        relevant=burden + 1,
        batch=Batch(id=f"batch-{burden}", wanted=4),
    )


def instruction(number: int, of: Task, *, text: str = "", tone: str = "neutral") -> Instruction:
    return Instruction(
        id=f"instruction-{number:012x}",
        task_id=of.id,
        domain=of.domain,
        user_id=of.user_id,
        wishes=of.wishes,
        identity=(),
        facts=(),
        hidden=("e572",),
        behavior=Behavior(tone=tone, correction=number % 2 == 0),  # type: ignore[arg-type]
        reason_for_call=text or f"You want a hold on the newest edition of The Salt Island, number {number}.",
        known_info="Your card is 61137.",
        task_instructions="Say all at once.",
        seed=number,
    )


def conversation(number: int, *, cause: str = "", burden: int = 3, kind: str = "normal", text: str = "", tone: str = "neutral") -> Made:
    """Number 3 says `pomegranate` in the middle; `cause`: wrong_argument, ungrounded_argument or user_invented; empty: kept."""
    wanted = task(number, burden=burden, kind=kind, label=text[:300] or "The Salt Island, audiobook (e572)")
    told = instruction(number, wanted, text=text, tone=tone)
    edition = "e571" if cause == "wrong_argument" else "e999" if cause == "ungrounded_argument" else "e572"
    words = text or ("I would like a pomegranate." if number == 3 else "The South branch, please.")
    messages = (
        Message(role="assistant", content="Hi! How can I help you?"),
        Message(role="user", content=f"The newest Salt Island. Not at Southend: to be picked up at South. My card is 61137. {words}"),
        calls(2, ("get_member", {"member_id": "m1"}), ("get_edition", {"edition_id": "e572"})),
        result(2, {"member_id": "m1", "name": "Bo Falk", "loans": [{"id": "n1", "holder.id": "m1", "edition_id": "e572"}]}, 0),
        result(2, {"edition_id": "e572", "year": 2002, "others": ["e571"], "notes": words}, 1),
        Message(role="assistant", content="A hold on e572 at South?"),
        Message(role="user", content="Yes."),
        calls(7, ("place_hold", {"member_id": "m1", "edition_id": edition, "branch": "South"})),
        result(7, "Hold h9 is placed"),
        Message(role="user", content="###STOP###"),
    )
    return Made(wanted, told, trajectory(number, told, messages, cause), verdict(number, wanted, edition, cause))


def trajectory(number: int, told: Instruction, messages: Sequence[Message], cause: str) -> Trajectory:
    faults = (FaultLabel(name="wrong_argument", turn=7, lethal=True, cause=cause),) if cause == "wrong_argument" else ()
    return Trajectory(
        id=f"conversation-{number:012x}",
        task_id=told.task_id,
        instruction_id=told.id,
        domain="library",
        rollout=0,
        source="scripted",
        agent="agent-4b",
        user="user-30b",
        messages=tuple(messages),
        termination="user_stop",
        agent_usage=Usage(requests=3, prompt_tokens=1000 + number, completion_tokens=100),
        user_usage=Usage(requests=2, prompt_tokens=300, completion_tokens=40),
        faults=faults,
    )


def verdict(number: int, of: Task, edition: str, cause: str) -> Verdict:
    owner = {"": None, "user_invented": "user"}.get(cause, "agent")
    shown = Origin(call=7, argument="edition_id", value=edition, kind="shown", turn=4, path="edition_id")
    if cause == "wrong_argument":
        shown = shown.model_copy(update={"path": "others.0"})
    if cause == "ungrounded_argument":
        shown = Origin(call=7, argument="edition_id", value=edition, kind="none")
    member = Origin(call=7, argument="member_id", value="m1", kind="formula", path="the_member_of_the_card")
    if cause == "user_invented":
        member = Origin(call=7, argument="member_id", value="m1", kind="shown", turn=3, path="loans.0.holder.id")
    origins = (
        member,
        shown,
        Origin(call=7, argument="branch", value="South", kind="said", turn=1),
    )
    turn = 1 if cause == "user_invented" else 7
    detail = {
        "wrong_argument": "place_hold was called with other arguments than are due",
        "ungrounded_argument": f"edition_id = '{edition}' comes from nowhere",
        "user_invented": "the user said 61138",
    }.get(cause, "")
    lost = (Check(name="writes", result="fail", cause=cause, owner=owner, detail=detail, turn=turn),) if cause else ()  # type: ignore[arg-type]
    if cause == "wrong_argument":
        lost += (Check(name="end_state", result="fail", cause="extra_write", owner="agent", detail="place_hold was made and is not due", turn=turn),)
    return Verdict(
        trajectory_id=f"conversation-{number:012x}",
        task_id=of.id,
        kept=not cause,
        reward=0.0 if cause else 1.0,
        cause=cause,
        owner=owner,  # type: ignore[arg-type]
        checks=(Check(name="termination", result="pass"), *lost),
        origins=origins,
    )


def library_run(size: int = 40) -> list[Made]:
    """Every fourth conversation is lost, of three causes; two burdens, two kinds, two tones; the last one is hostile."""
    causes = ("wrong_argument", "user_invented", "wrong_argument", "ungrounded_argument")
    made = []
    for number in range(size - 1):
        cause = causes[number // 4 % 4] if number % 4 == 0 else ""
        heavy = number % 3 == 0
        kind = "read_heavy" if heavy else "normal"
        made.append(conversation(number, cause=cause, burden=9 if heavy else 3, kind=kind, tone="formal" if number % 5 == 0 else "neutral"))
    return [*made, conversation(size - 1, text=HOSTILE + "A" * 1_000_000)]


def row(each: Made) -> Row:
    return Row(
        id=each.trajectory.id,
        split="train",
        domain="library",
        kind=each.task.kind,
        writes=1,
        burden=each.task.burden,
        tool=each.task.tool,
        task_id=each.task.id,
        instruction_id=each.instruction.id,
        user_id="m1",
        source="scripted",
        messages=(),
        tools="[]",
    )


def rows(made: Iterable[Made]) -> Iterable[Row]:
    """All kept conversations but number 1, which is a near-duplicate."""
    return (row(each) for each in made if each.verdict.kept and not each.trajectory.id.endswith("001"))


def write_page(
    path: Path, made: Sequence[Made], config: RunConfig | None = None, spare: Sequence[Task] = (), certificate: dict = CERTIFICATE, policy: str = ""
) -> Path:
    """The page of these conversations, made by the stage. `spare`: tasks that were made and not tried; `policy`: in place of the library's own."""
    records = write_report(
        config or RunConfig(),
        domain=[snapshot().model_copy(update={"policy": policy}) if policy else snapshot()],
        tasks=[*(each.task for each in made), *spare],
        instructions=(each.instruction for each in made),
        trajectories=(each.trajectory for each in made),
        verdicts=(each.verdict for each in made),
        rows=rows(made),
        emit=lambda _, page: path.write_bytes(page) and None,
        certificate=certificate,
        run_id="0123456789abcdef",
    )
    assert list(records) == []
    return path


def write_store(folder: Path, made: Sequence[Made], salt: str = "a") -> tuple[LocalStore, str]:
    """A finished run in a store, as `writ run` leaves it; returns the store and the run's id."""
    store = LocalStore(folder)
    keys = {stage.name: f"{salt}{number:015x}" for number, stage in enumerate(STAGES)}
    records = {
        "domain": [snapshot()],
        "tasks": [each.task for each in made],
        "instructions": [each.instruction for each in made],
        "simulate": [each.trajectory for each in made],
        "verify": [each.verdict for each in made],
        "dataset": list(rows(made)),
        "report": [],
    }
    for stage in STAGES:
        with ArtifactWriter(store, stage.name, keys[stage.name], stage.writes) as writer:
            writer.add_many(records[stage.name])
    store.put(f"dataset/{keys['dataset']}/decontamination.json", json.dumps(CERTIFICATE).encode())
    write_run(store, Run(run_id=run_id(keys), keys=keys, config=RunConfig(out=str(folder)).model_dump(mode="json")))
    return store, run_id(keys)

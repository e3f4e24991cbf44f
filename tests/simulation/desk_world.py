"""A library desk with three tools, its loans, and two sides that renew them: as small a world as a conversation can happen in."""

from collections.abc import Iterable
from types import SimpleNamespace
from typing import Any, cast

from pydantic import BaseModel

from writ.domains.base import Domain
from writ.domains.database import Database
from writ.domains.registry import OpenDomain
from writ.domains.toolkit import Toolkit, generic_tool, read_tool, write_tool
from writ.errors import ToolRefused
from writ.llm.server import Reply, chat_reply
from writ.schema import Batch, Behavior, Certificate, Decision, DomainSnapshot, Fact, Instruction, Task, ToolCall, Trajectory, Verdict
from writ.simulation.address import parsed

MODEL = "desk-model"
LOANS = 400


class Loan(BaseModel):
    id: str
    due: str
    renewed: int


class Desk(BaseModel):
    loans: dict[str, Loan]


class DeskTools(Toolkit):
    shape = Desk

    @read_tool
    def get_loan(self, loan_id: str) -> Any:
        """Look a loan up."""
        loan = self.database.get("loans", loan_id)
        if loan is None:
            raise ToolRefused("Loan not found")
        return loan

    @write_tool
    def renew_loan(self, loan_id: str) -> Any:
        """Renew a loan."""
        if self.database.get("loans", loan_id) is None:
            raise ToolRefused("Loan not found")
        loan = self.database.edit("loans", loan_id)
        loan["renewed"] += 1
        return loan

    @generic_tool
    def transfer_to_human_agents(self, summary: str) -> str:
        """Hand over."""
        return "Transfer successful"


def loan(number: int) -> str:
    return f"L{number:05d}"


def open_desk() -> OpenDomain:
    tables = {"loans": {loan(n): {"id": loan(n), "due": "2024-05-25", "renewed": 0} for n in range(LOANS)}}
    snapshot = DomainSnapshot(
        name="desk",
        code="desk",
        database=tables,
        policy="Renew what is asked for {once}.",
        tools=tuple(DeskTools.schemas()),
        agent_prompt="You serve at a desk.\n<policy>\n{domain_policy}\n</policy>",
        user_prompt="You play a reader.\n<scenario>\n{instructions}\n</scenario>",
        origin="generated:0:0",
        license="Apache-2.0",
    )
    return OpenDomain(cast(Domain, SimpleNamespace(toolkit=DeskTools)), snapshot, Database(tables))


def instruction(number: int, **changed: Any) -> Instruction:
    wanted = Fact(name="loan", value=loan(number), text=f"loan {loan(number)}")
    fields: dict[str, Any] = {
        "id": f"i{number}",
        "task_id": f"t{number}",
        "domain": "desk",
        "user_id": f"u{number}",
        "wishes": (),
        "identity": (),
        "facts": ((wanted,),),
        "behavior": Behavior(),
        "reason_for_call": f"You want to renew loan {loan(number)}.",
        "known_info": f"Your loan is {loan(number)}.",
        "task_instructions": "You are calm.",
        "seed": number,
    }
    return Instruction(**{**fields, **changed})


def task(number: int, batch: Batch | None = None) -> Task:
    certificate = Certificate(rivals=(), plan=(), burden=0, relevant=0)
    return Task(
        id=f"t{number}",
        domain="desk",
        kind="normal",
        user_id=f"u{number}",
        wishes=(),
        decisions=(Decision(outcome="act", certificate=certificate),),
        tool="renew_loan",
        burden=0,
        relevant=0,
        batch=batch,
    )


def judged(task: Task, instruction: Instruction, trajectory: Trajectory) -> Verdict:
    """Keeps a conversation in which the loan was renewed exactly once."""
    renewals = [call for message in trajectory.messages for call in message.tool_calls if call.name == "renew_loan"]
    kept = trajectory.termination == "user_stop" and len(renewals) == 1
    return Verdict(trajectory_id=trajectory.id, task_id=task.id, kept=kept, reward=float(kept), checks=())


def said(body: dict[str, Any], role: str) -> list[str]:
    return [message["content"] or "" for message in body["messages"] if message["role"] == role]


def desk_user(body: dict[str, Any]) -> str:
    """Asks, confirms, thanks."""
    number = int(parsed(body["user"]).instruction_id[1:])
    turns = len(said(body, "assistant"))
    return ("Hello, please renew " + loan(number) + ".", "Yes, please do.", "Thank you! ###STOP###")[min(turns, 2)]


def desk_agent(body: dict[str, Any]) -> str | ToolCall:
    """Reads, asks for a yes, writes, reports, takes leave."""
    users, tools = said(body, "user"), said(body, "tool")
    wanted = users[0].rstrip(".").split()[-1]
    if len(tools) == 0:
        return ToolCall(id="call_0", name="get_loan", arguments=f'{{"loan_id": "{wanted}"}}')
    if len(users) == 1:
        return f"I found {wanted}, due 2024-05-25. Shall I go ahead and renew it (yes/no)?"
    if len(tools) == 1:
        return ToolCall(id="call_1", name="renew_loan", arguments=f'{{"loan_id": "{wanted}"}}')
    return f"{wanted} is renewed. Anything else?" if len(users) == 2 else "You are welcome."


async def desk_answer(body: dict[str, Any]) -> Reply:
    """Both sides of every conversation at the desk; a pure function of the request."""
    answer = desk_user(body) if parsed(body["user"]).role == "user" else desk_agent(body)
    if isinstance(answer, ToolCall):
        return chat_reply(None, [answer], model=MODEL, prompt_tokens=100, completion_tokens=10)
    return chat_reply(answer, model=MODEL, prompt_tokens=100, completion_tokens=10)


class MemoryJournal:
    """A journal that forgets with the process."""

    def __init__(self) -> None:
        self.records: list[Trajectory] = []

    def append(self, records: Iterable[Trajectory]) -> None:
        self.records += records

    def load(self) -> Iterable[Trajectory]:
        return iter(tuple(self.records))

"""The desk's database and its eleven tools."""

from datetime import date, timedelta
from typing import Any, ClassVar, Literal

from pydantic import BaseModel

from writ.domains.database import Tables
from writ.domains.toolkit import Toolkit, generic_tool, read_tool, write_tool
from writ.errors import ToolRefused

Branch = Literal["North", "South", "East", "West"]
BRANCHES: tuple[Branch, ...] = ("North", "South", "East", "West")

LOAN_DAYS = 21
"""A renewal moves the due date this many days on."""


class Member(BaseModel):
    member_id: str
    name: str
    card: str
    email: str
    status: Literal["active", "blocked"]
    loans: list[str]
    holds: list[str]


class Edition(BaseModel):
    edition_id: str
    title: str
    author: str
    format: Literal["hardcover", "paperback", "large print", "audiobook"]
    year: int
    pages: int
    lendable: bool
    queue: list[str]
    """Holds that wait for a copy, first come first served."""


class Loan(BaseModel):
    loan_id: str
    member_id: str
    edition_id: str
    title: str
    due: str
    renewals: int


class Hold(BaseModel):
    hold_id: str
    member_id: str
    edition_id: str
    title: str
    branch: Branch
    status: Literal["waiting", "ready"]


class Desk(BaseModel):
    """The whole database."""

    members: dict[str, Member]
    editions: dict[str, Edition]
    loans: dict[str, Loan]
    holds: dict[str, Hold]


class DeskTools(Toolkit):
    shape: ClassVar[type[BaseModel]] = Desk

    @read_tool
    def find_member(self, card_or_email: str) -> str:
        """Find a member's id.

        Args:
            card_or_email: The number on the library card, or the email address of the account.
        """
        for member in self.database.values("members"):
            if card_or_email.lower() in (member["card"], member["email"]):
                return str(member["member_id"])
        raise ToolRefused("No member has this card or email")

    @read_tool
    def get_member(self, member_id: str) -> dict[str, Any]:
        """A member's account: status, and the ids of loans and holds.

        Args:
            member_id: Such as 'm107'.
        """
        return self._record("members", member_id)

    @read_tool
    def get_loan(self, loan_id: str) -> dict[str, Any]:
        """What was lent, when it is due, and how often it was renewed.

        Args:
            loan_id: Such as 'n1042'.
        """
        return self._record("loans", loan_id)

    @read_tool
    def get_hold(self, hold_id: str) -> dict[str, Any]:
        """What is on hold, where it will be picked up, and how many people are ahead.

        Args:
            hold_id: Such as 'h1042'.
        """
        hold = self._record("holds", hold_id)
        queue = self._record("editions", hold["edition_id"])["queue"]
        return {**hold, "ahead": queue.index(hold_id) if hold_id in queue else 0}

    @read_tool
    def search_catalog(self, text: str) -> list[str]:
        """Ids of all editions of a title, or of everything by an author.

        Args:
            text: A whole title or a whole author's name.
        """
        found = self.database.database.memo("catalog", _catalog).get(text.strip().lower())
        if not found:
            raise ToolRefused("Nothing in the catalog has this title or author")
        return found

    @read_tool
    def get_edition(self, edition_id: str) -> dict[str, Any]:
        """An edition: title, author, format, year, pages, whether it is lent out, and how many people wait for it.

        Args:
            edition_id: Such as 'e305'.
        """
        edition = self._record("editions", edition_id)
        return {**{key: value for key, value in edition.items() if key != "queue"}, "waiting": len(edition["queue"])}

    @write_tool
    def renew_loan(self, loan_id: str) -> dict[str, Any]:
        """Give a loan three more weeks.

        Args:
            loan_id: Such as 'n1042'.
        """
        self._record("loans", loan_id)
        loan = self.database.edit("loans", loan_id)
        loan["due"] = renewed(loan["due"])
        loan["renewals"] += 1
        return loan

    @write_tool
    def place_hold(self, member_id: str, edition_id: str, branch: Branch) -> dict[str, Any]:
        """Put a member in the queue for an edition.

        Args:
            member_id: Such as 'm107'.
            edition_id: Such as 'e305'.
            branch: Where the member will pick it up.
        """
        edition = self._record("editions", edition_id)
        self._record("members", member_id)
        self._branch(branch)
        hold_id = self._new_hold_id()
        hold = {
            "hold_id": hold_id,
            "member_id": member_id,
            "edition_id": edition_id,
            "title": edition["title"],
            "branch": branch,
            "status": "waiting",
        }
        self.database.insert("holds", hold_id, hold)
        self.database.edit("members", member_id)["holds"].append(hold_id)
        self.database.edit("editions", edition_id)["queue"].append(hold_id)
        return hold

    @write_tool
    def cancel_hold(self, hold_id: str) -> str:
        """Take a hold off its queue.

        Args:
            hold_id: Such as 'h1042'.
        """
        hold = self._record("holds", hold_id)
        self.database.delete("holds", hold_id)
        self.database.edit("members", hold["member_id"])["holds"].remove(hold_id)
        if hold["status"] == "waiting":
            self.database.edit("editions", hold["edition_id"])["queue"].remove(hold_id)
        return f"Hold {hold_id} is cancelled"

    @write_tool
    def change_pickup(self, hold_id: str, branch: Branch) -> dict[str, Any]:
        """Have a hold picked up at another branch.

        Args:
            hold_id: Such as 'h1042'.
            branch: The new branch.
        """
        self._record("holds", hold_id)
        self._branch(branch)
        hold = self.database.edit("holds", hold_id)
        hold["branch"] = branch
        return hold

    @generic_tool
    def transfer_to_human_agents(self, summary: str) -> str:
        """Hand the member over to a librarian.

        Args:
            summary: What the member wants, and why you cannot do it.
        """
        return "Transfer successful"

    def _record(self, table: str, record_id: str) -> dict[str, Any]:
        record = self.database.get(table, record_id)
        if record is None:
            raise ToolRefused(f"There is no '{record_id}' among the {table}")
        return record

    def _new_hold_id(self) -> str:
        """The first free id after those of the snapshot."""
        number = self.database.database.memo("last hold", _last_hold) + 1
        while self.database.get("holds", f"h{number}") is not None:
            number += 1
        return f"h{number}"

    def _branch(self, branch: str) -> None:
        if branch not in BRANCHES:
            raise ToolRefused(f"There is no branch '{branch}'; branches are {', '.join(BRANCHES)}")


def _catalog(tables: Tables) -> dict[str, list[str]]:
    """Ids of editions by title and by author, in lower case. No tool changes either."""
    index: dict[str, list[str]] = {}
    for edition_id, edition in tables["editions"].items():
        for text in {edition["title"].lower(), edition["author"].lower()}:
            index.setdefault(text, []).append(edition_id)
    return index


def _last_hold(tables: Tables) -> int:
    return max((int(hold_id[1:]) for hold_id in tables["holds"]), default=1000)


def renewed(due: str) -> str:
    """The due date after one renewal."""
    return (date.fromisoformat(due) + timedelta(days=LOAN_DAYS)).isoformat()

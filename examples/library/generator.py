"""A library of any size from a seed. Ids are short; members have one to four loans and up to four holds."""

from random import Random
from typing import Any

from .account import PHRASES
from .tools import BRANCHES

FIRST, LAST, ADJECTIVES, NOUNS = (PHRASES[name][0].split() for name in ("first_names", "last_names", "adjectives", "nouns"))
FORMATS = ("hardcover", "paperback", "large print", "audiobook")

Tables = dict[str, dict[str, Any]]


def generated(seed: int, users: int) -> Tables:
    """Same arguments, same bytes. Some 1.2 titles and 4 editions per member; a twelfth of the cards is blocked."""
    rng = Random(f"library:{seed}")
    tables: Tables = {"members": {}, "editions": {}, "loans": {}, "holds": {}}
    _catalog(tables, rng, works=max(24, users))
    for number in range(users):
        _member(tables, rng, f"m{101 + number}")
    popular, digits = _popular(tables, rng), 4 if users <= 1000 else 5
    for member in tables["members"].values():
        _loans(tables, rng, member, digits)
        _holds(tables, rng, member, popular, digits)
    return tables


def _catalog(tables: Tables, rng: Random, works: int) -> None:
    """Authors have one to three titles, a title one to five editions."""
    titles = [f"The {adjective} {noun}" for adjective in ADJECTIVES for noun in NOUNS]
    rng.shuffle(titles)
    titles = [titles[number] if number < len(titles) else f"{titles[number % len(titles)]} {number // len(titles) + 1}" for number in range(works)]
    author = ""
    for number, title in enumerate(titles):
        if not author or rng.random() < 0.45:
            author = f"{rng.choice(FIRST)} {chr(65 + number % 26)}. {rng.choice(LAST)}"
        for _ in range(rng.randint(1, 5)):
            edition_id = f"e{301 + len(tables['editions'])}"
            tables["editions"][edition_id] = {
                "edition_id": edition_id,
                "title": title,
                "author": author,
                "format": rng.choice(FORMATS),
                "year": rng.randint(1961, 2024),
                "pages": rng.randint(90, 890),
                "lendable": rng.random() < 0.85,
                "queue": [],
            }


def _member(tables: Tables, rng: Random, member_id: str) -> None:
    first, last = rng.choice(FIRST), rng.choice(LAST)
    card = f"c{rng.randint(10, 99)}{member_id[1:]}"
    email = f"{first}.{last}{rng.randint(10, 99)}{member_id[1:]}@post.example".lower()
    status = "blocked" if rng.random() < 1 / 12 else "active"
    tables["members"][member_id] = {
        "member_id": member_id,
        "name": f"{first} {last}",
        "card": card,
        "email": email,
        "status": status,
        "loans": [],
        "holds": [],
    }


def _popular(tables: Tables, rng: Random) -> list[str]:
    """Editions that many wait for, so that queues get long."""
    lendable = [edition["edition_id"] for edition in tables["editions"].values() if edition["lendable"]]
    return rng.sample(lendable, max(4, len(lendable) // 12))


def _new_id(table: dict[str, Any], prefix: str, rng: Random, digits: int) -> str:
    """An id that says nothing about the record, nor about the one before."""
    while (found := f"{prefix}{rng.randrange(10 ** (digits - 1), 10**digits)}") in table:
        pass
    return found


def _loans(tables: Tables, rng: Random, member: dict[str, Any], digits: int) -> None:
    lendable = [edition for edition in tables["editions"].values() if edition["lendable"]]
    for edition in rng.sample(lendable, rng.randint(1, 5)):
        loan_id = _new_id(tables["loans"], "n", rng, digits)
        due = f"2025-{rng.randint(4, 6):02}-{rng.randint(1, 28):02}"
        renewals = rng.choice((0, 0, 0, 1, 1, 2))
        tables["loans"][loan_id] = {
            "loan_id": loan_id,
            "member_id": member["member_id"],
            "edition_id": edition["edition_id"],
            "title": edition["title"],
            "due": due,
            "renewals": renewals,
        }
        member["loans"].append(loan_id)


def _holds(tables: Tables, rng: Random, member: dict[str, Any], popular: list[str], digits: int) -> None:
    for edition_id in rng.sample(popular, min(rng.choice((0, 1, 2, 2, 3, 3, 4)), len(popular))):
        hold_id = _new_id(tables["holds"], "h", rng, digits)
        edition, ready = tables["editions"][edition_id], rng.random() < 0.2
        tables["holds"][hold_id] = {
            "hold_id": hold_id,
            "member_id": member["member_id"],
            "edition_id": edition_id,
            "title": edition["title"],
            "branch": rng.choice(BRANCHES),
            "status": "ready" if ready else "waiting",
        }
        member["holds"].append(hold_id)
        if not ready:
            edition["queue"].append(hold_id)

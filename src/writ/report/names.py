"""What people call the names and values of the records. The words stand in `page/words.json`, for the page and the terminal alike."""

import json
import re
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

Facts = Mapping[str, Any]
"""Of a domain, as `writ.report.head.domain_facts` gives them."""

_MONTHS = ("January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November", "December")


@cache
def words() -> dict[str, Any]:
    """What the records' terms are called."""
    loaded: dict[str, Any] = json.loads((Path(__file__).parent / "page" / "words.json").read_text(encoding="utf-8"))
    return loaded


def term(group: str, key: str) -> str:
    """What the page calls a term of the records."""
    known = words()[group].get(key)
    return str(known[0] if isinstance(known, list) else known or humane(key))


def humane(name: str) -> str:
    """`book_reservation` as `Book reservation`; the `_id` of what is meant by its id is not said."""
    text = name.removesuffix("_id").replace("_", " ")
    return text[:1].upper() + text[1:]


def argument_name(path: str) -> str:
    """`passengers.0.dob` as `Traveler 1: date of birth`."""
    names = words()["arguments"]
    head, *rest = path.split(".")
    if not rest or not rest[0].isdecimal():
        return str(names.get(path) or names.get(path.rsplit(".", 1)[-1]) or humane(path.replace(".", " ")))
    thing = words()["lists"].get(head, [humane(head)])[0]
    numbered = f"{thing} {int(rest[0]) + 1}"
    return f"{numbered}: {small(argument_name('.'.join(rest[1:])))}" if rest[1:] else numbered


def whole_name(path: str) -> str:
    """What an argument is part of, inside a sentence: `passengers.0.dob` as `travelers`."""
    head, *rest = path.split(".")
    return str(words()["lists"].get(head, ["", humane(head).lower()])[1]) if rest else small(argument_name(path))


def small(text: str) -> str:
    """Inside a sentence; `ZIP code` stays as it is."""
    return text if text[1:2].isupper() else text[:1].lower() + text[1:]


def value_name(name: str) -> str:
    """What a compared fact is called."""
    return str(words()["values"].get(name, [humane(name)])[0])


def value_text(name: str, value: Any) -> str:
    """A compared fact with its unit: `$103`, `3 h`, `4 seats`, `8:00 AM`."""
    unit = words()["values"].get(name, ["", ""])[1]
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int | float):
        return _number(unit, value)
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    return _moment(text) or text.replace("_", " ")


def _number(unit: str, value: float) -> str:
    if unit == "money":
        return f"${value:,.2f}".removesuffix(".00")
    if unit == "minutes":
        hours, rest = divmod(round(value), 60)
        return " ".join([f"{hours} h"] * bool(hours) + [f"{rest} min"] * bool(rest or not hours))
    shown = f"{value:g}" if abs(value) < 10_000 else f"{value:,.0f}"
    return f"{shown} {unit if value != 1 else unit.removesuffix('s')}".strip()


def _moment(text: str) -> str:
    """A date, a time, or both, as people write them; empty for anything else."""
    found = re.fullmatch(r"(?:\d{4}-(\d\d)-(\d\d))?T?(?:(\d\d):(\d\d)(?::\d\d)?)?(\+1)?", text)
    if not text or found is None:
        return ""
    month, day, hour, minute, later = found.groups()
    date = f"{_MONTHS[int(month) - 1]} {int(day)}" if month and 1 <= int(month) <= len(_MONTHS) else ""
    clock = f"{(int(hour) - 1) % 12 + 1}:{minute} {'AM' if int(hour) < 12 else 'PM'}" if hour else ""
    return ", ".join(filter(None, (date, clock))) + (" of the next day" if later else "")


def fact_text(name: str, value: Any) -> str:
    """A fact inside a sentence: its value alone where the unit says what it is."""
    known = words()["values"].get(name)
    return value_text(name, value) if known and known[1] else f"{small(value_name(name))} {value_text(name, value)}"


def readable(text: str, domain: Facts) -> str:
    """The names of rules and tools inside a sentence as people call them."""

    def called(found: re.Match[str]) -> str:
        name = found[1]
        clause = domain["rules"].get(name, "").rstrip(".")
        return f"the rule “{clause}”" if clause else f"“{humane(name)}”" if name in domain["tools"] else found[0]

    return re.sub(r"'?\b([a-z]+(?:_[a-z0-9]+)+)\b'?", called, text)


def rule_text(rule: str, domain: Facts) -> str:
    """The clause of a rule, or its name where the domain does not say it."""
    return str(domain["rules"].get(rule) or humane(rule))

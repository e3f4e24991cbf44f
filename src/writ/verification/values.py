"""Values in text: whether a turn states an amount, a number, a date or a time, in whatever spelling."""

import re
from datetime import date
from decimal import Decimal, InvalidOperation
from functools import lru_cache

_MONTHS = ("january", "february", "march", "april", "may", "june", "july", "august", "september", "october", "november", "december")
_NUMBER = re.compile(r"(?<![\w.])-?\d[\d,]*(?:\.\d+)?(?!\w)")
_AMOUNT = re.compile(
    r"(?:\$ ?|\busd ?)-?(\d[\d,]*(?:\.\d+)?)|(?<![\w.])(\d[\d,]*\.\d\d)(?!\w)|(?<![\w.])(\d[\d,]*(?:\.\d+)?) ?(?:dollars|usd|bucks)\b", re.I
)
_NOTHING = re.compile(r"\b(free|(no|without|zero) (extra |additional |any )?(charge|cost|fee|payment)s?|nothing|waived)\b", re.I)
_WORDS = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve")


def states(text: str, form: str, value: str) -> bool:
    """Whether the text states the value. `form`: money, number, date (`2024-05-25`), time (`18:30`) or text (any case)."""
    if form == "money":
        return _number(value) in amounts(text) or (_number(value) == 0 and _NOTHING.search(text) is not None)
    if form == "number":
        return _number(value) in numbers(text) or _as_word(value, text)
    if form == "date":
        lowered = text.lower()
        return any(spelling in lowered for spelling in spellings(value))
    if form == "time":
        lowered = text.lower()
        return any(re.search(rf"(?<!\d){re.escape(spelling)}", lowered) for spelling in times(value))
    return value.lower() in text.lower() or value.lower() in text.lower().replace(",", "")  # a total may be written 1,093.34


def occurs(wanted: str, text: str) -> bool:
    """Whether these words stand in the text, both in lower case: no letter or digit adjoins them, nor a point before or the decimals behind."""
    at = text.find(wanted)
    while at >= 0:
        if not _continues(text[at - 1] if at else " ", ".") and not _goes_on(text, at + len(wanted)):
            return True
        at = text.find(wanted, at + 1)
    return False


def _goes_on(text: str, end: int) -> bool:
    following = text[end : end + 2]
    return _continues(following[:1]) or (following[:1] == "." and following[1:].isdecimal())


def _continues(character: str, joints: str = "") -> bool:
    return character.isalnum() or character == "_" or (bool(joints) and character in joints)


@lru_cache(maxsize=8)
def numbers(text: str) -> frozenset[Decimal]:
    """Every number in the text; `$1,200.50` is 1200.5."""
    found = (_number(match.group()) for match in _NUMBER.finditer(text))
    return frozenset(number for number in found if number is not None)


@lru_cache(maxsize=8)
def amounts(text: str) -> frozenset[Decimal]:
    """Every sum of money in the text, known by its sign, its two decimals or its currency; a bare number is none."""
    found = (_number(next(group for group in match.groups() if group)) for match in _AMOUNT.finditer(text))
    return frozenset(number for number in found if number is not None)


def _number(text: str) -> Decimal | None:
    try:
        return Decimal(text.replace(",", "").replace("$", "")).normalize()
    except InvalidOperation:
        return None


def _as_word(value: str, text: str) -> bool:
    return value.isdigit() and int(value) < len(_WORDS) and re.search(rf"\b{_WORDS[int(value)]}\b", text.lower()) is not None


def spellings(value: str) -> tuple[str, ...]:
    """Lower-case spellings of an ISO date: `2024-05-25`, `may 25`, `25 may`, `5/25` and their kin."""
    try:
        day = date.fromisoformat(value)
    except ValueError:
        return (value.lower(),)
    month = _MONTHS[day.month - 1]
    names = (month, month[:3])
    worded = [form for name in names for form in (f"{name} {day.day}", f"{name} {day.day:02d}", f"{day.day} {name}", f"{day.day} of {name}")]
    return (value, *worded, f"{day.month}/{day.day}", f"{day.month:02d}/{day.day:02d}")


def times(value: str) -> tuple[str, ...]:
    """Lower-case spellings of `18:30`: with seconds, on the twelve-hour clock."""
    hour, minute = (int(part) for part in value.split(":")[:2])
    half = "am" if hour < 12 else "pm"
    short = hour % 12 or 12
    forms = [f"{hour:02d}:{minute:02d}", f"{hour}:{minute:02d}", f"{short}:{minute:02d} {half}", f"{short}:{minute:02d}{half}"]
    return tuple(forms + ([f"{short} {half}", f"{short}{half}"] if minute == 0 else []))

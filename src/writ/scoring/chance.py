"""What guessing would earn: who does all else right, and draws each of the person's own records among those of its kind."""

import re
from collections.abc import Iterable

from writ.domains.registry import OpenDomain
from writ.schema import Task

_LETTERS, _DIGITS = re.compile(r"[A-Za-z]+"), re.compile(r"\d+")


def chance(site: OpenDomain, tasks: Iterable[Task]) -> float:
    """The mean over the tasks; 0 for none. A value that is no record of the person's own is taken for known, so this is a high bar, not a low one."""
    each = [_of(site, task) for task in tasks]
    return sum(each) / len(each) if each else 0.0


def _of(site: OpenDomain, task: Task) -> float:
    owned = site.domain.owned(site.database, task.user_id)
    drawn, likely = set[str](), 1.0
    for call in task.writes:
        for value in call.arguments.values():
            for one in value if isinstance(value, list) else [value]:
                if one in owned and one not in drawn:
                    alike = [other for other in owned if _form(other) == _form(one) and other not in drawn]
                    likely /= len(alike)
                    drawn.add(one)
    return likely


def _form(record_id: str) -> str:
    """Ids of one kind look alike: `h4711` as `h1002`."""
    return _DIGITS.sub("0", _LETTERS.sub(lambda found: found[0] if len(found[0]) == 1 else "a", record_id))

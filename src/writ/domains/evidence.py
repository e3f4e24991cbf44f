"""The smallest set of reads that proves a decision: a minimum hitting set that is closed under reachability.

Every rival is a clause "read one of these". Every read brings clauses of its own: for each argument that the user's words do not give, "read one
of the reads whose output gives it". Wanted is the smallest set of reads that satisfies all rivals and every clause of its own members.
Source: docs/ideas.md (evidence burden); the problem is minimum hitting set (Karp 1972), solved exactly by unit propagation, splitting into
components, dominance and branch and bound.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field

from writ.schema import Call

Clause = frozenset[str]

MAX_NODES = 20_000
"""Search nodes after which a task is refused: a bound in work, not in seconds, so that every machine refuses the same tasks."""


class TooHard(Exception):
    """The exact minimum was not found within MAX_NODES."""


class Unreachable(Exception):
    """A clause has no read at all."""


@dataclass(slots=True)
class _Problem:
    """Reads by key, and the clauses each brings; filled as reads are met."""

    needs_of: Callable[[Call], Sequence[Sequence[Call]]]
    calls: dict[str, Call] = field(default_factory=dict)
    needs: dict[str, tuple[Clause, ...]] = field(default_factory=dict)
    serves: dict[str, set[Clause]] = field(default_factory=dict)
    """Read -> the clauses of other reads that it would satisfy."""
    nodes: int = 0

    def clause(self, reads: Iterable[Call]) -> Clause:
        """Registers the reads of a clause, and all that they need in turn."""
        members = list(reads)
        if not members:
            raise Unreachable
        for read in members:
            if read.key not in self.calls:
                self.calls[read.key] = read
                self.needs[read.key] = ()
                self.needs[read.key] = tuple(self.clause(options) for options in self.needs_of(read))
                for need in self.needs[read.key]:
                    for key in need:
                        self.serves.setdefault(key, set()).add(need)
        return frozenset(read.key for read in members)


def smallest_plan(rivals: Iterable[Sequence[Call]], needs_of: Callable[[Call], Sequence[Sequence[Call]]]) -> tuple[Call, ...]:
    """One smallest sufficient set of reads, in an order in which each read's arguments are known; deterministic.

    `rivals`: for each, its refuters. Raises: Unreachable if a rival or an argument has no read; TooHard past MAX_NODES.
    """
    problem = _Problem(needs_of)
    clauses = {problem.clause(refuters) for refuters in rivals}
    chosen = _propagate(problem, set(), clauses)
    for component in _components(problem, _open(chosen, clauses, problem)):
        chosen = _search(problem, chosen, component, None) or chosen
    return _in_order(problem, chosen)


def _open(chosen: set[str], clauses: Iterable[Clause], problem: _Problem) -> set[Clause]:
    """Clauses that no chosen read satisfies, those that chosen reads bring included."""
    brought = (clause for key in chosen for clause in problem.needs[key])
    return {clause for clause in (*clauses, *brought) if not clause & chosen}


def _propagate(problem: _Problem, chosen: set[str], clauses: Iterable[Clause]) -> set[str]:
    """Adds every read that a one-read clause forces, and what it forces in turn."""
    chosen, waiting = set(chosen), list(clauses)
    while waiting:
        clause = waiting.pop()
        if len(clause) == 1 and not clause & chosen:
            (key,) = clause
            chosen.add(key)
            waiting.extend(problem.needs[key])
    return chosen


def _components(problem: _Problem, clauses: set[Clause]) -> Iterator[set[Clause]]:
    """Groups of clauses that share no read, not even through what reads need."""
    left = sorted(clauses, key=sorted)
    while left:
        reach, group = _reach(problem, left[0]), [left[0]]
        grown = True
        while grown:
            joined = [clause for clause in left if clause not in group and _reach(problem, clause) & reach]
            grown = bool(joined)
            group += joined
            for clause in joined:
                reach |= _reach(problem, clause)
        left = [clause for clause in left if clause not in group]
        yield set(group)


def _reach(problem: _Problem, clause: Clause) -> set[str]:
    seen, waiting = set(clause), list(clause)
    while waiting:
        for need in problem.needs[waiting.pop()]:
            new = need - seen
            seen |= new
            waiting.extend(new)
    return seen


def _search(problem: _Problem, chosen: set[str], clauses: set[Clause], limit: int | None) -> set[str] | None:
    """The smallest superset of `chosen` that satisfies `clauses`; None where none has fewer than `limit` reads."""
    problem.nodes += 1
    if problem.nodes > MAX_NODES:
        raise TooHard
    chosen = _propagate(problem, chosen, clauses)
    left = _open(chosen, clauses, problem)
    if limit is not None and len(chosen) + _lower_bound(left) >= limit:
        return None
    if not left:
        return chosen
    best: set[str] | None = None
    for key in _options(problem, chosen, left):
        found = _search(problem, chosen, left | {frozenset((key,))}, limit if best is None else len(best))
        best = best if found is None else found
    return best


def _lower_bound(clauses: set[Clause]) -> int:
    """Number of pairwise disjoint clauses, found greedily: each costs at least one read."""
    used: set[str] = set()
    count = 0
    for clause in sorted(clauses, key=lambda clause: (len(clause), sorted(clause))):
        if not clause & used:
            used |= clause
            count += 1
    return count


def _options(problem: _Problem, chosen: set[str], clauses: set[Clause]) -> list[str]:
    """Reads to branch on: those of a shortest clause, dominated ones left out, most useful first.

    A read is dominated by one that satisfies all that it does, now or for reads that may yet be chosen, and needs no more.
    """
    hits: dict[str, set[Clause]] = {}
    for clause in clauses:
        for key in clause:
            hits.setdefault(key, set()).add(clause)
    needs = {key: {need for need in problem.needs[key] if not need & chosen} for key in hits}
    later = {key: {need for need in problem.serves.get(key, ()) if not need & chosen} for key in hits}
    shortest = min(clauses, key=lambda clause: (len(clause), sorted(clause)))
    options = sorted(shortest, key=lambda key: (-len(hits[key]), len(needs[key]), key))
    kept: list[str] = []
    for key in options:
        if not any(hits[key] <= hits[other] and later[key] <= later[other] and needs[other] <= needs[key] for other in kept):
            kept.append(key)
    return kept


def _in_order(problem: _Problem, chosen: set[str]) -> tuple[Call, ...]:
    """Reads after those that give their arguments; alphabetical otherwise. Raises: Unreachable where needs go in a circle."""
    done: list[str] = []
    waiting = sorted(chosen)
    while waiting:
        ready = [key for key in waiting if all(need & set(done) for need in problem.needs[key])]
        if not ready:
            raise Unreachable
        done += ready
        waiting = [key for key in waiting if key not in ready]
    return tuple(problem.calls[key] for key in done)

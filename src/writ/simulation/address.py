"""Which side of which conversation a request belongs to: the request's `user` field, by which a scripted or a playback server finds its part."""

from typing import Literal, NamedTuple, cast, get_args

Role = Literal["agent", "user"]


class Address(NamedTuple):
    """One side of one conversation. Its text form is `role:instruction_id:rollout`."""

    role: Role
    instruction_id: str
    rollout: int

    def __str__(self) -> str:
        return f"{self.role}:{self.instruction_id}:{self.rollout}"


def parsed(text: str) -> Address:
    """The address that a `user` field holds; the instruction's id may itself hold colons.

    Raises: ValueError for any other text.
    """
    role, _, rest = text.partition(":")
    instruction_id, _, rollout = rest.rpartition(":")
    if role not in get_args(Role) or not instruction_id or not (rollout.isascii() and rollout.isdigit()):
        raise ValueError(f"user field {text[:80]!r} names no conversation; wanted agent|user:<instruction id>:<rollout>")
    return Address(cast(Role, role), instruction_id, int(rollout))

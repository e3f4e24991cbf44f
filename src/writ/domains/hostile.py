"""What models, users and databases may say that must not be taken at its word: arguments that are no JSON, control tokens of chat formats."""

import json
import re
from typing import Any


def decoded(arguments: str) -> dict[str, Any] | None:
    """A call's arguments, or None where the text is not a JSON object that could be sent on (NaN and lone surrogates are not JSON)."""
    try:
        value = _strict(arguments)
        if "\\u" in arguments:
            json.dumps(value, ensure_ascii=False).encode()
    except (ValueError, RecursionError):
        return None
    return value if isinstance(value, dict) else None


def _no_constant(name: str) -> Any:
    raise ValueError(f"{name} is not JSON")


_strict = json.JSONDecoder(parse_constant=_no_constant).decode


_CONTROL = re.compile(
    r"<(?=\||</?SYS>>|/?(?:s|tool_call|tool_response|start_of_turn|end_of_turn)>)"
    r"|\[(?=/?(?:INST|TOOL_CALLS|TOOL_RESULTS|AVAILABLE_TOOLS)\])"
)


def harmless(text: str) -> str:
    """What a user or a tool said, with every control token of a chat format broken by a space: `<|im_end|>` becomes `< |im_end|>`.

    Servers read such tokens wherever they stand; unbroken, a user's words could end their turn and begin the system's.
    """
    return _CONTROL.sub(lambda match: f"{match.group()} ", text) if "<" in text or "[" in text else text

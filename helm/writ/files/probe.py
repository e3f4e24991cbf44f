"""Ready means: the server lists the model by its name, and completes one token. A healthy port alone says neither."""

import json
import sys
import urllib.request

URL, MODEL = "http://127.0.0.1:8000/v1", sys.argv[1]


def ask(path: str, body: dict[str, object] | None = None) -> dict[str, list[dict[str, object]]]:
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(URL + path, data, {"Content-Type": "application/json"})
    with urllib.request.urlopen(request, timeout=8) as reply:
        answer: dict[str, list[dict[str, object]]] = json.load(reply)
        return answer


served = [model["id"] for model in ask("/models")["data"]]
if MODEL not in served:
    sys.exit(f"the server offers {served}, not {MODEL}")
QUESTION: dict[str, object] = {"messages": [{"role": "user", "content": "ready?"}], "max_tokens": 1, "user": "writ-preflight"}
if not ask("/chat/completions", {"model": MODEL, **QUESTION})["choices"]:
    sys.exit("the server completes nothing")

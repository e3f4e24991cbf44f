"""Prints the bill of materials of the image it runs in, as CycloneDX JSON: Python distributions and Debian packages, with versions and licenses.

Runs on the standard library alone, while the image is built. Its one argument is SOURCE_DATE_EPOCH: the document carries no other clock.
"""

from __future__ import annotations

import datetime
import hashlib
import json
import sys
import uuid
from collections.abc import Iterator
from importlib import metadata
from pathlib import Path
from typing import Any

DPKG_STATUS = Path("/var/lib/dpkg/status")


def python_components() -> Iterator[dict[str, Any]]:
    for distribution in metadata.distributions():
        name, about = distribution.metadata["Name"], distribution.metadata
        component = _component(name, distribution.version, f"pkg:pypi/{name.lower().replace('_', '-')}@{distribution.version}")
        license_text = about.get("License-Expression") or about.get("License") or ""
        if 0 < len(license_text) < 100:
            component["licenses"] = [{"license": {"name": license_text}}]
        yield component


def debian_components(status: Path) -> Iterator[dict[str, Any]]:
    if not status.is_file():
        return
    for paragraph in status.read_text().split("\n\n"):
        fields = dict(line.split(": ", 1) for line in paragraph.splitlines() if ": " in line and line[0] != " ")
        if fields.get("Status", "").endswith(" installed"):
            yield _component(
                fields["Package"], fields["Version"], f"pkg:deb/debian/{fields['Package']}@{fields['Version']}?arch={fields['Architecture']}"
            )


def bill(components: list[dict[str, Any]], epoch: int) -> dict[str, Any]:
    ordered = sorted({c["purl"]: c for c in components}.values(), key=lambda c: c["purl"])
    digest = hashlib.sha256(json.dumps(ordered).encode()).digest()
    stamp = datetime.datetime.fromtimestamp(epoch, tz=datetime.UTC).isoformat()
    return {
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "serialNumber": f"urn:uuid:{uuid.UUID(bytes=digest[:16], version=4)}",
        "version": 1,
        "metadata": {"timestamp": stamp, "component": {"type": "application", "name": "writ"}},
        "components": ordered,
    }


def _component(name: str, version: str, purl: str) -> dict[str, Any]:
    return {"type": "library", "name": name, "version": version, "purl": purl}


if __name__ == "__main__":
    json.dump(bill([*python_components(), *debian_components(DPKG_STATUS)], int(sys.argv[1])), sys.stdout, indent=1)

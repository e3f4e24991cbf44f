"""What a start loads: a package that nobody uses by then is time before the first request."""

import json
import subprocess
import sys

import pytest

LATE = ("boto3", "datasets", "jinja2", "kubernetes", "numpy", "openai", "prometheus_client", "pyarrow", "scipy", "torch", "typer")


@pytest.mark.long
@pytest.mark.parametrize(
    ("module", "late"),
    [
        ("writ.cli", (*LATE, "aiohttp", "pydantic", "rich", "yaml")),
        ("writ.commands.run", (*LATE, "aiohttp")),
        ("writ.llm.openai", (*LATE, "aiohttp.web")),
    ],
)
def test_module_loads_no_package_that_is_used_later_or_never(module, late):
    script = f"import sys, json, {module}; print(json.dumps(sorted(sys.modules)))"
    loaded = json.loads(subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True).stdout)
    assert set(late) & set(loaded) == set()

"""A real browser for the page; tests that want it are skipped where there is none."""

import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from report_worlds import library_run, write_page

CHROMIUM_FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


@pytest.fixture(scope="module")
def browser() -> Iterator[object]:
    """Headless Chromium through playwright. Closed at the end of the module: while open, playwright's loop holds this thread."""
    sync_api = pytest.importorskip("playwright.sync_api", reason="the python package 'playwright' is not installed")
    found = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if found is None:
        pytest.skip("no Chromium on this machine; install it (Debian: apt-get install chromium) to test the page in a browser")
    starts = subprocess.run([Path(sync_api.__file__).parents[1] / "driver/node", "--version"], capture_output=True, text=True, check=False)
    if starts.returncode:
        pytest.skip(f"playwright's driver does not start ({starts.stderr.strip()}); on Debian: apt-get install libatomic1")
    with sync_api.sync_playwright() as driver:
        opened = driver.chromium.launch(executable_path=found, args=CHROMIUM_FLAGS)
        yield opened
        opened.close()


@pytest.fixture(scope="session")
def page_file(tmp_path_factory) -> Path:
    """The page of 40 conversations."""
    return write_page(tmp_path_factory.mktemp("page") / "report.html", library_run())


@pytest.fixture
def view(browser, page_file):
    """`view(hash, **context options)` opens the page. Fails at the end if it met an error, a refusal of its policy, or the network."""
    contexts, troubles = [], []

    def opened(at: str = "", file: Path = page_file, **options):
        context = browser.new_context(**({"viewport": {"width": 1440, "height": 900}, "reduced_motion": "reduce"} | options))
        context.set_default_timeout(30_000)
        contexts.append(context)
        page = context.new_page()
        page.on("pageerror", lambda error: troubles.append(str(error)))
        page.on("console", lambda message: troubles.append(message.text) if message.type in ("error", "warning") else None)
        page.on("dialog", lambda dialog: troubles.append(f"dialog {dialog.message}"))
        page.on("request", lambda request: None if request.url.startswith(("file:", "data:", "blob:")) else troubles.append(request.url))
        page.goto(f"{file.as_uri()}#{at}")
        page.wait_for_selector("body[data-ready]")
        return page

    yield opened
    for context in contexts:
        context.close()
    assert troubles == []


@pytest.fixture(scope="session")
def screenshots() -> Path:
    """Where screenshots of the last run are kept."""
    folder = Path(__file__).parents[2] / "test-output" / "report"
    folder.mkdir(parents=True, exist_ok=True)
    return folder

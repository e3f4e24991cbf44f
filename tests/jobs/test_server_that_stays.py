"""A server as a subprocess: it is gone when the block is left, whether it heeds the signal or not."""

import sys
import time

from writ.jobs.local import serving

DEAF = "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('http://here', flush=True); time.sleep(60)"


def test_server_that_heeds_no_signal_is_killed_as_soon_as_it_was_to_have_left():
    with serving([sys.executable, "-c", DEAF], leave_s=0.2) as url:
        assert url == "http://here"
        began = time.monotonic()
    assert 0.2 <= time.monotonic() - began < 4

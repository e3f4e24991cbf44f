"""What the benchmark of the verifier measures at size, the tests hold in small."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2] / "benchmarks"))

"""
Each target, fuzzed a little, and the same each time: chance is for ``make fuzz``.

In:  a number of runs and a seed.
Out: no input that breaks an invariant; where atheris is not there, it says so.
"""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path

import pytest

from .run import NO_FUZZER, fuzz
from .targets import TARGETS

pytestmark = pytest.mark.skipif(find_spec("atheris") is None, reason=NO_FUZZER)

RUNS = 1000


@pytest.mark.parametrize("target", TARGETS)
def test_invariants_hold_while_fuzzed(
    target: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Fuzzing for a while finds nothing, and reaches more than one place."""
    monkeypatch.setenv("PYTHONHASHSEED", "0")

    outcome = fuzz(target, f"-runs={RUNS}", "-seed=1", work=tmp_path)

    assert not outcome.findings, outcome.log
    assert outcome.executions > 0 and outcome.coverage > 1

"""
Each target, fuzzed for a second, or for as many as are asked for.

In:  ``FUZZ_SECONDS``, for each target.
Out: no input that breaks an invariant; where atheris is not there, it says so.
"""

from __future__ import annotations

import os
from importlib.util import find_spec

import pytest

from .run import NO_FUZZER, fuzz
from .targets import TARGETS

pytestmark = pytest.mark.skipif(find_spec("atheris") is None, reason=NO_FUZZER)

SECONDS = int(os.environ.get("FUZZ_SECONDS", "1"))


@pytest.mark.parametrize("target", TARGETS)
def test_invariants_hold_while_fuzzed(target: str) -> None:
    """Fuzzing for a while finds nothing, and reaches more than one place."""
    outcome = fuzz(target, SECONDS)

    assert not outcome.findings, outcome.log
    assert outcome.executions > 0 and outcome.coverage > 1

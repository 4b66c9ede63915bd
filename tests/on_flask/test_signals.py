"""
``TRUSTED_PROXY_RESTRICT_SIGNALS`` in the Flask extension.

In:  processes of their own, since a restriction stays.
Out: handlers that can be set before the first request and not after it.
"""

from __future__ import annotations

import subprocess
import sys

import pytest

PROGRAM = """
import logging, os, signal, sys
from flask import Flask
from flask_trustedproxy import TrustedProxy

logging.basicConfig(level=logging.ERROR)
app = Flask("application")
app.config["TRUSTED_PROXY_RESTRICT_SIGNALS"] = sys.argv[1] == "on"
app.add_url_rule("/", view_func=lambda: "ok")
TrustedProxy(app)

def handler(number, frame):
    pass

signal.signal(signal.SIGUSR2, handler)
before = signal.getsignal(signal.SIGUSR2) is handler
app.test_client().get("/")
signal.signal(signal.SIGUSR2, signal.SIG_DFL)
after = signal.getsignal(signal.SIGUSR2) is handler
print(before, after)
"""


@pytest.mark.parametrize(
    ("setting", "expected"), [("on", "True True"), ("off", "True False")]
)
def test_signals_are_restricted_from_the_first_request_on(
    setting: str, expected: str
) -> None:
    """The handler of before the first request stays after it, with the setting."""
    result = subprocess.run(
        [sys.executable, "-c", PROGRAM, setting],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )

    assert (result.stdout.strip(), result.returncode) == (expected, 0), result.stderr


FORKED = """
import logging, os, signal
from flask import Flask
from flask_trustedproxy import TrustedProxy

logging.basicConfig(level=logging.ERROR)
app = Flask("application")
app.config["TRUSTED_PROXY_RESTRICT_SIGNALS"] = True
app.add_url_rule("/", view_func=lambda: "ok")
TrustedProxy(app)
app.test_client().get("/")
if (child := os.fork()) == 0:
    app.test_client().get("/")
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    os._exit(signal.getsignal(signal.SIGTERM) is signal.SIG_IGN)
print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
"""


def test_signals_are_restricted_in_a_worker_of_a_warmed_up_parent() -> None:
    """A worker forked after the first request restricts its own with its first."""
    result = subprocess.run(
        [sys.executable, "-c", FORKED],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )

    assert (result.stdout.strip(), result.returncode) == ("0", 0), result.stderr

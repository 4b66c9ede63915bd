"""
What Django's own settings alone make of a request.

In:  settings and an environ, as JSON.
Out: what a view would see, as JSON; in an interpreter of its own.
"""

from __future__ import annotations

import json
import os
import runpy
import subprocess
import sys
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.conf import LazySettings

from django_trustedproxy import plain_request

GIVEN: dict[str, Any] = {
    "settings": {"SECURE_PROXY_SSL_HEADER": ["HTTP_X_FORWARDED_PROTO", "https"]},
    "environ": {
        "REQUEST_METHOD": "GET",
        "REMOTE_ADDR": "10.0.0.5",
        "HTTP_HOST": "app.example",
        "HTTP_X_FORWARDED_PROTO": "https",
        "SCRIPT_NAME": "",
        "PATH_INFO": "/x",
        "SERVER_NAME": "backend",
        "SERVER_PORT": "8000",
        "wsgi.url_scheme": "http",
    },
}
SEEN = {
    "client address": "10.0.0.5",
    "scheme": "https",
    "host": "app.example",
    "mount point": "",
    "path": "/x",
}


def test_view_sees_what_django_reads_by_itself(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """With these settings and no other; nothing of ours is asked."""
    fresh = LazySettings()
    for module in ("django.conf", "django.http.request"):
        monkeypatch.setattr(f"{module}.settings", fresh)
    output = StringIO()
    monkeypatch.setattr(sys, "stdin", StringIO(json.dumps(GIVEN)))
    monkeypatch.setattr(sys, "stdout", output)

    runpy.run_path(plain_request.__file__, run_name="__main__")

    assert json.loads(output.getvalue()) == SEEN


def test_module_is_run_in_an_interpreter_of_its_own(tmp_path: Path) -> None:
    """As explanations run it."""
    paths = [os.path.abspath(path) for path in sys.path if path]

    answer = subprocess.run(
        [sys.executable, "-m", "django_trustedproxy.plain_request"],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(paths)},
        input=json.dumps(GIVEN),
        capture_output=True,
        text=True,
        check=True,
    )

    assert json.loads(answer.stdout) == SEEN

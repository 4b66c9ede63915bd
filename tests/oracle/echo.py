"""
The application that the oracle's Apache serves: it answers with its environ.

In:  an environ, and beside this file the policies as JSON.
Out: `theirs`, the environ as mod_wsgi hands it over; `ours`, the same after this
     project's middleware.

Apache loads this file by path, in a process of its own; the tests never import it.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable
    from wsgiref.types import StartResponse

HERE = Path(__file__).parent

# The copy of the package under test lies beside this file.
sys.path.insert(0, str(HERE))

from trustedproxy import ProxyPolicy, TrustedProxyMiddleware  # noqa: E402  # the path is set by now


def theirs(environ: dict[str, Any], start_response: StartResponse) -> Iterable[bytes]:
    """Answer with everything in *environ* that is text."""
    text = {key: value for key, value in environ.items() if isinstance(value, str)}
    body = json.dumps(text).encode()
    start_response(
        "200 OK",
        [("Content-Type", "application/json"), ("Content-Length", str(len(body)))],
    )
    return [body]


# One application a policy, made from the very directives that Apache is given.
_ours = {
    name: TrustedProxyMiddleware(theirs, ProxyPolicy.from_mod_wsgi(text))
    for name, text in json.loads((HERE / "policies.json").read_text()).items()
}


def ours(environ: dict[str, Any], start_response: StartResponse) -> Iterable[bytes]:
    """Apply the policy that the first segment of the path names."""
    name = environ["PATH_INFO"].split("/")[1]
    return _ours[name](environ, start_response)

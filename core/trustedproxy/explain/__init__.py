"""
What a policy makes of a request, and why: every step, with its reason in words.

In:  `Settings` or a `ProxyPolicy`; a request, described, read, or as a server has it.
Out: an `Explanation`, and the ways to show it: `write_text`, `Explanation.as_dict`.

No rule is here: what is concluded comes from the rules themselves.  Reading order:
`records` (what an explanation is made of), `explaining` (how it is put together), then
the parts, `hops`, `header_verdicts`, `variables`, `answers`; `requests` and `logs` read
requests, `describing` has the settings in words, `others` other people's conclusions.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..framework import Framework
from ..settings import Settings
from .describing import describe_policy, describe_settings, list_rows
from .explaining import explain_request
from .records import (
    Explanation,
    Fate,
    Header,
    Hop,
    OtherResult,
    Request,
    Standing,
    Variable,
)
from .requests import read_environ, read_scope
from .text import write_text

if TYPE_CHECKING:
    from collections.abc import Mapping

    from .._types import Environ, Scope
    from ..decision import Connection
    from ..policy import ProxyPolicy

__all__ = [
    "Explanation",
    "Fate",
    "Framework",
    "Header",
    "Hop",
    "OtherResult",
    "Request",
    "Standing",
    "Variable",
    "describe_policy",
    "describe_settings",
    "explain",
    "explain_environ",
    "explain_request",
    "explain_scope",
    "list_rows",
    "write_text",
]


def explain(
    policy: ProxyPolicy, connection: Connection, headers: Mapping[str, str]
) -> Explanation:
    """
    Explain what *policy* makes of one request.

    Args:
        policy: The policy.

        connection: What the server says by itself.

        headers: Header name on the wire → its value, lines joined by commas.
    """
    request = Request(connection=connection, headers=headers)
    return explain_request(Settings(policy), request)


def explain_environ(policy: ProxyPolicy, environ: Environ) -> Explanation:
    """Explain what *policy* would do to *environ*, which is not changed."""
    return explain_request(Settings(policy), read_environ(policy, environ))


def explain_scope(policy: ProxyPolicy, scope: Scope) -> Explanation:
    """Explain what *policy* would do to an ASGI *scope*, which is not changed."""
    return explain_request(Settings(policy), read_scope(policy, scope))

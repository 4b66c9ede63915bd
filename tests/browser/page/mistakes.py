"""
The seven commonest mistakes, each set up with a real nginx and a real server.

In:  nothing; this is a table.
Out: `Mistake` records: what is wrong, what the page says of it, and the cure.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from .sites import HONEST, HOST, NGINX, Setup

#: The page opens with a token alone, as on a site that others can reach.
CLOSED: Mapping[str, Any] = {"DEBUG": False}

_FOR, _PROTO, _HOST = (
    "proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for",
    "proxy_set_header X-Forwarded-Proto $scheme",
    "proxy_set_header Host $http_host",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Mistake:
    """
    One mistake.

    Attributes:
        name: The name of its picture.

        setup: How the site is set up.

        code: The code of the page's advice.

        pasted: The settings that the advice gives to paste, name → value; none where
            the change is the proxy's or the server's.

        cured: The same site after the cure.
    """

    name: str
    setup: Setup
    code: str
    pasted: Mapping[str, Any] = field(default_factory=dict)
    cured: Setup


def _make(
    name: str, code: str, setup: Setup, /, *, pasted: Mapping[str, Any]
) -> Mistake:
    """Make a mistake that is cured by what is pasted."""
    cured = replace(setup, settings={**setup.settings, **pasted})
    return Mistake(name=name, code=code, setup=setup, pasted=pasted, cured=cured)


_OVERWRITTEN = Setup(
    framework="flask",
    settings={**CLOSED, "TRUSTED_PROXY_HTTPS_ONLY": True},
    inner=(_FOR, _PROTO, _HOST),
)
_REWRITTEN = Setup(settings=CLOSED, server="uvicorn that trusts everybody")

MISTAKES = (
    _make(
        "peer-not-trusted",
        "peer-not-trusted",
        Setup(settings={**CLOSED, "TRUSTED_PROXIES": ["192.168.1.31"]}),
        pasted={"TRUSTED_PROXIES": ["192.168.1.31", NGINX]},
    ),
    _make(
        "scheme-header-missing",
        "scheme-header-missing",
        Setup(
            framework="flask",
            settings={
                **CLOSED,
                "TRUSTED_PROXY_HEADERS": ["X-Forwarded-For", "X-Forwarded-Proto"],
            },
            lines=(_FOR, _HOST),
        ),
        pasted={
            "TRUSTED_PROXY_HEADERS": ["X-Forwarded-For"],
            "TRUSTED_PROXY_FIXED_SCHEME": "https",
        },
    ),
    Mistake(
        name="scheme-overwritten",
        code="scheme-overwritten",
        setup=_OVERWRITTEN,
        cured=replace(
            _OVERWRITTEN,
            inner=(
                _FOR,
                "proxy_set_header X-Forwarded-Proto $http_x_forwarded_proto",
                _HOST,
            ),
        ),
    ),
    Mistake(
        name="peer-rewritten",
        code="rewritten-before",
        setup=_REWRITTEN,
        cured=replace(_REWRITTEN, server="uvicorn"),
    ),
    _make(
        "mount-point-in-path",
        "mount-point-in-path",
        Setup(
            settings=CLOSED,
            path="/app/",
            lines=(*HONEST, "proxy_set_header X-Forwarded-Prefix /app"),
        ),
        pasted={"TRUSTED_PROXY_STRIP_MOUNT_POINT": True},
    ),
    _make(
        "host-refused",
        "host-refused",
        Setup(
            settings={
                **CLOSED,
                "ALLOWED_HOSTS": [HOST],
                "TRUSTED_PROXY_HEADERS": ["X-Forwarded-For", "X-Forwarded-Proto"],
                "TRUSTED_PROXY_STRIP": "listed",
            },
            lines=(_FOR, _PROTO, "proxy_set_header X-Forwarded-Host $http_host"),
        ),
        pasted={
            "TRUSTED_PROXY_HEADERS": [
                "X-Forwarded-For",
                "X-Forwarded-Proto",
                "X-Forwarded-Host",
            ]
        },
    ),
    _make(
        "too-few-elements",
        "too-few-elements",
        Setup(framework="flask", settings={**CLOSED, "TRUSTED_PROXY_HOPS": 2}),
        pasted={"TRUSTED_PROXY_HOPS": 1},
    ),
)

#: A site that is set up well, and a client that forges what stands on the left.
RIGHT = Setup(settings=CLOSED)
FORGED = {"X-Forwarded-For": "6.6.6.6", "X-Real-IP": "7.7.7.7"}

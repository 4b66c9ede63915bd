"""
What of a request is never shown: the policy's secrets, cookies, credentials.

In:  a policy; names and values of headers, and any other text of a request.
Out: the same, masked.

A secret is masked wherever it stands, before anything is explained: a proxy may send it
under another name than the policy thinks, and in another spelling.  A record of the log
may hold the beginning of one, cut.  In a request that is masked no less than a whole
secret is: whoever writes one could guess it bit by bit otherwise, by what is masked.
"""

from __future__ import annotations

import re
from dataclasses import fields, replace
from functools import lru_cache
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, quote_plus

from ..headers import KNOWN_HEADERS

if TYPE_CHECKING:
    from .._types import Environ
    from ..policy_options import PolicyOptions
    from .records import Request

#: What stands in place of what is not shown.
HIDDEN = "(not shown)"

#: A header whose name has one of these words holds a credential; one with a hyphen is
#: the beginning of the name, or of a part of it.
_PRIVATE_WORDS = (
    "auth",
    "cookie",
    "token",
    "secret",
    "pass",
    "pwd",
    "-key",
    "apikey",
    "csrf",
    "session",
    "credential",
    # What platforms and clients prove with who somebody is, and that they ask.
    "jwt",
    "assertion",
    "oidc",
    "principal",
    "saml",
    "dpop",
    "signature",
    "-sig",
    "hmac",
    "verify",
)
#: What follows in a text that was cut: see `shorten` of `log`, and `report.recent`.
_CUT = re.compile("(['\"]?…)")
#: So few characters of a secret may stay where a text was cut behind them.
_FEW = 3


class Masks:
    """
    What is masked under one policy.

    Args:
        policy: The policy, for its secrets.
    """

    def __init__(self, policy: PolicyOptions) -> None:
        self._secret_header = _fold(policy.secret_header or "")
        self._secrets, self._spelled = _compile(policy.secrets)
        headers = (*KNOWN_HEADERS, *policy.headers)
        self._shown = frozenset(header.name.lower() for header in headers)

    def hides(self, name: str) -> bool:
        """Say whether the value of the header *name* is never shown."""
        if self._is_secret_header(name):
            return True
        folded = _fold(name)
        if folded in self._shown:
            return False
        return any(word in f"-{folded}" for word in _PRIVATE_WORDS)

    def _is_secret_header(self, name: str) -> bool:
        return bool(self._secret_header) and _fold(name) == self._secret_header

    def mask(self, text: str) -> str:
        """Mask the whole secrets in *text*, and leave the rest as it came."""
        return text if self._secrets is None else self._secrets.sub(HIDDEN, text)

    def mask_record(self, text: str) -> str:
        """Mask the secrets in the *text* of a record of the log, whole or cut."""
        parts = _CUT.split(self.mask(text))
        # Every other one is what cuts the one in front of it.
        for i in range(0, len(parts) - 1, 2):
            parts[i] = self._mask_end(parts[i])
        return "".join(parts)

    def _mask_end(self, text: str) -> str:
        """Mask the beginning of a secret at the end of *text*, if it is not too few."""
        lengths = (
            length
            for each in self._spelled
            for length in range(_FEW + 1, len(each))
            if text.endswith(each[:length])
        )
        longest = max(lengths, default=0)
        return f"{text[:-longest]}{HIDDEN}" if longest else text

    def mask_request(self, request: Request) -> tuple[Request, list[str]]:
        """
        Mask the secrets in a request, but where they belong.

        Returns:
            The request; and where a secret stood that does not belong there.
        """
        found: list[str] = []
        connection = replace(request.connection)
        for each in fields(connection):
            value = getattr(connection, each.name)
            if isinstance(value, str) and value != (masked := self.mask(value)):
                setattr(connection, each.name, masked)
                found.append(f"the {each.name.replace('_', ' ')}")
        headers = dict(request.headers)
        for name, value in headers.items():
            masked = value if self._is_secret_header(name) else self.mask(value)
            if masked != value:
                headers[name] = masked
                found.append(name)
        raw_path = self._mask_optional(request.raw_path)
        if raw_path != request.raw_path and "the path" not in found:
            found.append("the path")
        query = self._mask_optional(request.query)
        if query != request.query:
            found.append("the query")
        if not found:
            return request, found
        masked_request = replace(
            request,
            connection=connection,
            headers=headers,
            raw_path=raw_path,
            query=query,
        )
        return masked_request, found

    def mask_environ(self, environ: Environ) -> dict[str, Any]:
        """Mask the secrets in every text of an *environ*, in a copy."""
        return {
            key: self.mask(value) if isinstance(value, str) else value
            for key, value in environ.items()
        }

    def _mask_optional(self, text: str | None) -> str | None:
        return None if text is None else self.mask(text)


@lru_cache(maxsize=16)
def _compile(secrets: tuple[str, ...]) -> tuple[re.Pattern[str] | None, list[str]]:
    """
    Compile what finds the *secrets* in a text, in every spelling.

    Returns:
        The pattern, if there is a secret; and the spellings, the longest first.
    """
    # One may begin with another: the longest goes first.
    spelled = sorted({s for each in secrets for s in _spell(each)}, key=len)[::-1]
    if not spelled:
        return None, spelled
    return re.compile("|".join(map(re.escape, spelled))), spelled


def _spell(secret: str) -> set[str]:
    """Spell a secret as it came, as `repr` shows it, and as it stands in URLs."""
    shown = secret.replace("\\", "\\\\")
    # The last one is how browsers' scripts encode it.
    quoted = {quote(secret, safe=safe) for safe in ("", "/", "!'()*")}
    return {secret, shown, shown.replace("'", "\\'"), quote_plus(secret), *quoted}


def _fold(name: str) -> str:
    """Spell a header's name so that its underscore variants are the same."""
    return name.lower().replace("_", "-")

"""
What of a request is never shown: the policy's secrets, cookies, credentials.

In:  a policy; names and values of headers, and any other text of a request.
Out: the same, masked.

A secret is masked wherever it stands, before anything is explained: a proxy may send it
under another name than the policy thinks.  In a text that was made of a request, such
as a record of the log, it may stand in another spelling, or cut.
"""

from __future__ import annotations

import re
from dataclasses import fields, replace
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, quote_plus

from ..headers import KNOWN_HEADERS

if TYPE_CHECKING:
    from collections.abc import Sequence

    from .._types import Environ
    from ..policy_options import PolicyOptions
    from .records import Request

#: What stands in place of what is not shown.
HIDDEN = "(not shown)"

#: A header whose name has one of these words holds a credential.
_PRIVATE_WORDS = (
    "auth",
    "cookie",
    "token",
    "secret",
    "password",
    "-key",
    "apikey",
    "csrf",
    "session",
    "credential",
    # What platforms sign who somebody is with, and that they are the ones who ask.
    "jwt",
    "assertion",
    "oidc",
    "principal",
    "signature",
    "verify",
)
#: What follows in a text that was cut: see `shorten` of `log`, and `report.recent`.
_CUT = "(?=['\"]?…)"
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
        self._secrets = _compile(policy.secrets)
        headers = (*KNOWN_HEADERS, *policy.headers)
        self._shown = frozenset(header.name.lower() for header in headers)

    def hides(self, name: str) -> bool:
        """Say whether the value of the header *name* is never shown."""
        if self._is_secret_header(name):
            return True
        folded = _fold(name)
        if folded in self._shown:
            return False
        return any(word in folded for word in _PRIVATE_WORDS)

    def _is_secret_header(self, name: str) -> bool:
        return bool(self._secret_header) and _fold(name) == self._secret_header

    def mask(self, text: str) -> str:
        """Mask the secrets in *text*, and leave the rest as it came."""
        return text if self._secrets is None else self._secrets.sub(HIDDEN, text)

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


def _compile(secrets: Sequence[str]) -> re.Pattern[str] | None:
    """Compile what finds the *secrets* in a text, in every spelling, whole or cut."""
    # One may begin with another: the longest goes first.
    spelled = sorted({s for each in secrets for s in _spell(each)}, key=len)[::-1]
    if not spelled:
        return None
    begun = {s[:length] for s in spelled for length in range(_FEW + 1, len(s))}
    whole = [re.escape(each) for each in spelled]
    cut = [re.escape(each) + _CUT for each in sorted(begun, key=len)[::-1]]
    return re.compile("|".join(whole + cut))


def _spell(secret: str) -> set[str]:
    """Spell a secret as it came, as `repr` shows it, and as it stands in URLs."""
    shown = secret.replace("\\", "\\\\")
    # The last one is how browsers' scripts encode it.
    quoted = {quote(secret, safe=safe) for safe in ("", "/", "!'()*")}
    return {secret, shown, shown.replace("'", "\\'"), quote_plus(secret), *quoted}


def _fold(name: str) -> str:
    """Spell a header's name so that its underscore variants are the same."""
    return name.lower().replace("_", "-")

"""
Who may see the page: tokens that are good once, and what they are exchanged for.

In:  a secret of the project's own, and a place that remembers what was used.
Out: `Tokens`, which makes and checks; `FileUses` and `MemoryUses`, two such places.

A token is a kind, a time, a random name and a signature (HMAC with SHA-256, by a key
that is derived from the secret, so that it is good for nothing else).  Signatures are
compared in constant time.  Nothing here is logged.
"""

from __future__ import annotations

import hmac
import os
import secrets
import sqlite3
import time
from base64 import urlsafe_b64encode
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from enum import StrEnum
from hashlib import sha256
from pathlib import Path
from threading import Lock
from typing import Protocol, TypeGuard

from ..exceptions import ConfigurationError
from ..log import warn_once

#: What a secret has at least, in characters.
SHORTEST_SECRET = 16
#: Requests of one run of ``trustedproxy probe`` at the most.
PROBE_REQUESTS = 400

_LONGEST = 200
_PURPOSE = b"trustedproxy.report"


def can_sign(secret: str | bytes | None) -> TypeGuard[str | bytes]:
    """Say whether tokens can be signed with *secret*: it is there, and long enough."""
    return secret is not None and len(secret) >= SHORTEST_SECRET


def refuse_secret(option: str, secret: str | bytes | None) -> ConfigurationError:
    """Make the error about a *secret* with which nothing can be signed."""
    return ConfigurationError(
        option,
        "(not shown)" if secret else secret,
        f"at least {SHORTEST_SECRET} characters long, to sign tokens with",
    )


class TokenKind(StrEnum):
    """What a token is for."""

    #: Opens the page: good once, in exchange for a session.
    PAGE = "page"
    #: Opens the answer that ``trustedproxy probe`` reads: good for one run.
    PROBE = "probe"
    #: What a page token was exchanged for: the value of a cookie.
    SESSION = "session"
    #: Stands in the page's own form.
    FORM = "form"


#: For how many seconds each is good.
LIFETIMES = {
    TokenKind.PAGE: 600,
    TokenKind.PROBE: 900,
    TokenKind.SESSION: 900,
    TokenKind.FORM: 3600,
}


class Uses(Protocol):
    """Where it is remembered how often a token was used, for all processes."""

    def take(self, name: str, most: int, until: float) -> bool:
        """
        Use something once more, in one step that no other process can divide.

        Args:
            name: Its name.

            most: How often it may be used.

            until: When it may be forgotten, in seconds since 1970.

        Returns:
            Whether it had not been used that often before.
        """
        ...


class MemoryUses:
    """
    In the memory of this process: for a server that has one process only.

    Args:
        clock: Seconds since 1970.
    """

    def __init__(self, clock: Callable[[], float] = time.time) -> None:
        self._clock = clock
        self._lock = Lock()
        self._uses: dict[str, tuple[int, float]] = {}

    def take(self, name: str, most: int, until: float) -> bool:
        """Use *name* once more (`Uses.take`)."""
        now = self._clock()
        with self._lock:
            kept = {n: use for n, use in self._uses.items() if use[1] >= now}
            count = kept.get(name, (0, until))[0]
            if count < most:
                kept[name] = (count + 1, until)
            self._uses = kept
        return count < most


class FileUses:
    """
    In a file, an SQLite database that all processes of one machine share.

    Args:
        path: The file; it is made with the first use, for this user alone.

        clock: Seconds since 1970.
    """

    def __init__(
        self, path: str | os.PathLike[str], clock: Callable[[], float] = time.time
    ) -> None:
        self.path: Path = Path(path)
        self._clock = clock

    def take(self, name: str, most: int, until: float) -> bool:
        """Use *name* once more; a file that cannot be written allows none."""
        try:
            os.close(os.open(self.path, os.O_CREAT | os.O_RDWR, 0o600))
            with closing(sqlite3.connect(self.path, timeout=5)) as database:
                return self._take(database, name, most, until)
        except (OSError, sqlite3.Error) as error:
            warn_once(
                "token-file",
                "no token is accepted, since the file %s, which keeps those that were "
                "used, cannot be written: %s",
                self.path,
                error,
            )
            return False

    def _take(
        self, database: sqlite3.Connection, name: str, most: int, until: float
    ) -> bool:
        # A machine that loses power has other worries than a token of that minute.
        database.execute("PRAGMA synchronous = OFF")
        with database:
            # What follows is one transaction, from its first write on.
            database.execute(
                "CREATE TABLE IF NOT EXISTS uses "
                "(name TEXT PRIMARY KEY, count INTEGER, until REAL)"
            )
            database.execute("DELETE FROM uses WHERE until < ?", (self._clock(),))
            done = database.execute(
                "INSERT INTO uses VALUES (?, 1, ?) ON CONFLICT (name) "
                "DO UPDATE SET count = count + 1 WHERE count < ?",
                (name, until, most),
            )
            return done.rowcount == 1


@dataclass(frozen=True, slots=True)
class _Read:
    """What a token says, once its signature was found to be right."""

    name: str
    until: int


class Tokens:
    """
    Makes tokens and checks them.

    Args:
        secret: The secret of the project, such as Django's ``SECRET_KEY``.

        uses: Where it is remembered what was used.

        clock: Seconds since 1970.

    Raises:
        ConfigurationError: The secret is too short to sign anything with.
    """

    def __init__(
        self,
        secret: str | bytes,
        uses: Uses,
        clock: Callable[[], float] = time.time,
    ) -> None:
        if not can_sign(secret):
            raise refuse_secret("secret", secret)
        raw = secret.encode() if isinstance(secret, str) else secret
        self._key = hmac.digest(raw, _PURPOSE, sha256)
        self._uses = uses
        self._clock = clock

    def make(self, kind: TokenKind = TokenKind.PAGE) -> str:
        """Make a token, to be shown to whoever may see the page."""
        return self._make(kind, secrets.token_urlsafe(16))

    def exchange(self, token: str) -> str | None:
        """Take a page token, and return a session; ``None`` where it is no good."""
        read = self._read(TokenKind.PAGE, token)
        if read is None or not self._uses.take(read.name, 1, read.until):
            return None
        return self.make(TokenKind.SESSION)

    def opens_probe(self, token: str) -> bool:
        """Say whether a probe token is good for one request more."""
        read = self._read(TokenKind.PROBE, token)
        return read is not None and self._uses.take(
            read.name, PROBE_REQUESTS, read.until
        )

    def find_session(self, session: str) -> str | None:
        """Return the name of a session, if it is one and still lasts."""
        read = self._read(TokenKind.SESSION, session)
        return None if read is None else read.name

    def _make(self, kind: TokenKind, name: str) -> str:
        until = int(self._clock()) + LIFETIMES[kind]
        said = f"{kind}.{until}.{name}"
        return f"{said}.{self._sign(said)}"

    def _sign(self, said: str) -> str:
        digest = hmac.digest(self._key, said.encode("ascii"), sha256)
        return urlsafe_b64encode(digest).decode("ascii").rstrip("=")

    def _read(self, kind: TokenKind, token: str) -> _Read | None:
        token = token.strip()
        if len(token) > _LONGEST or not token.isascii():
            return None
        said, _, signature = token.rpartition(".")
        if not hmac.compare_digest(signature, self._sign(said)):
            return None
        # It is ours: it has these parts.
        is_kind, until, name = said.split(".")
        if is_kind != kind or int(until) < self._clock():
            return None
        return _Read(name, int(until))


#: What the form is signed with where no secret is known: this process's own.
_OWN_SECRET = secrets.token_bytes(32)


class FormTokens:
    """
    Guards the form of the page, whoever was let in, and by what.

    Args:
        secret:
            The secret of the project; ``None`` where there is none, so that only this
            process takes the form.

        clock: Seconds since 1970.
    """

    def __init__(
        self, secret: str | bytes | None, clock: Callable[[], float] = time.time
    ) -> None:
        raw = secret.encode() if isinstance(secret, str) else secret
        self._key = hmac.digest(raw or _OWN_SECRET, _PURPOSE + b".form", sha256)
        self._clock = clock

    def make(self, subject: str) -> str:
        """Make the token for the form of *subject*."""
        until = int(self._clock()) + LIFETIMES[TokenKind.FORM]
        return f"{until}.{self._sign(subject, str(until))}"

    def check(self, subject: str, token: str) -> bool:
        """Say whether *token* was made for *subject*, not too long ago."""
        until, _, signature = token.partition(".")
        if not token.isascii() or not hmac.compare_digest(
            signature, self._sign(subject, until)
        ):
            return False
        return int(until) >= self._clock()

    def _sign(self, subject: str, until: str) -> str:
        said = f"{until}.{subject}".encode("utf-8", "surrogatepass")
        return hmac.new(self._key, said, sha256).hexdigest()

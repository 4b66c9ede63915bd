"""
Send a request exactly as it was planned, and read no more than is needed.

In:  a `Trial`, lines that every request has, a target.
Out: an `Answer`; one that failed says why.

Stands on `http.client`, which sends what it is given: names with underscores, a line
twice, two ``Host`` lines, any byte in a value, any target.  Libraries on h11 refuse two
``Host`` lines.  Each request has a connection of its own, to the one address that the
name was resolved to at the start; no redirect is followed, and no proxy is asked.
"""

from __future__ import annotations

import socket
import ssl
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager, suppress
from http.client import HTTPConnection, HTTPException
from ipaddress import ip_address
from threading import Event, Timer
from typing import TYPE_CHECKING, Any

from ..exceptions import ConfigurationError
from .records import Answer, Line
from .targets import bracket

if TYPE_CHECKING:
    from .records import Limits, Trial
    from .targets import Target


class Client:
    """
    Sends requests to one address.

    Args:
        target: Where it is.

        limits: How long an answer may take, and how long it may be.

        lines: Header lines of every request, behind ``Host``.

        token: The line that opens the page; ``None`` where there is none.

        tls: Which certificates are trusted; by default the system's.

        source: The address of this machine to connect from; ``None``: any.

    Raises:
        ConfigurationError: The name of the target has no address.
    """

    def __init__(
        self,
        target: Target,
        limits: Limits,
        lines: Sequence[Line],
        *,
        token: Line | None = None,
        tls: ssl.SSLContext | None = None,
        source: str | None = None,
    ) -> None:
        self._target = target
        self._limits = limits
        self._lines = tuple(lines)
        self._token = token
        self._source = source
        self._tls = None
        if target.is_secure:
            self._tls = tls or ssl.create_default_context()
        self._family, self._address = _resolve(target)

    @property
    def address(self) -> str:
        """The address that is connected to, for people."""
        if isinstance(self._address, str):
            return self._target.where
        return f"{bracket(str(self._address[0]))}:{self._address[1]}"

    def ask(self, trial: Trial, target: str) -> Answer:
        """
        Send one request.

        Args:
            trial: The request.

            target: Path and query, as they stand in the request line.
        """
        late = Event()
        try:
            with self._connect() as plain, self._secure(plain, late) as connection:
                answer = self._exchange(connection, trial, target)
            # What was cut off may look like an answer.
            return _fail(_LATE) if late.is_set() else answer
        except ssl.SSLCertVerificationError as error:
            return _fail(f"its certificate is not trusted: {error.verify_message}")
        except (OSError, HTTPException) as error:
            return _fail(_LATE if late.is_set() else _describe(error))

    def is_local(self) -> bool:
        """
        Say whether the target is reached from this machine itself.

        So it is over a unix socket, and where both ends have the same address.
        """
        if self._target.socket:
            return True
        with suppress(OSError), self._connect() as connection:
            ours, theirs = connection.getsockname()[0], connection.getpeername()[0]
            return ours == theirs or ip_address(theirs).is_loopback
        return False

    @contextmanager
    def _connect(self) -> Iterator[socket.socket]:
        with closing(socket.socket(self._family, socket.SOCK_STREAM)) as plain:
            plain.settimeout(self._limits.answer_seconds)
            if self._source is not None:
                plain.bind((self._source, 0))
            plain.connect(self._address)
            # From now on a timer ends it, for all of the answer together.
            plain.settimeout(2 * self._limits.answer_seconds)
            yield plain

    @contextmanager
    def _secure(self, plain: socket.socket, late: Event) -> Iterator[socket.socket]:
        """Speak TLS, where it is to be, and end the connection in time."""
        if self._tls is None:
            with self._limit(plain, late):
                yield plain
            return
        secured = self._tls.wrap_socket(
            plain, server_hostname=self._target.name, do_handshake_on_connect=False
        )
        with secured, self._limit(secured, late):
            secured.do_handshake()
            yield secured

    @contextmanager
    def _limit(self, connection: socket.socket, late: Event) -> Iterator[None]:
        """End the connection when the time is over: a time-out begins anew."""

        def stop() -> None:
            late.set()
            with suppress(OSError):
                # That of the socket: TLS would say goodbye first.
                socket.socket.shutdown(connection, socket.SHUT_RDWR)

        timer = Timer(self._limits.answer_seconds, stop)
        timer.daemon = True
        timer.start()
        try:
            yield
        finally:
            timer.cancel()

    def _exchange(self, connection: socket.socket, trial: Trial, target: str) -> Answer:
        http = HTTPConnection(self._target.name or "localhost")
        http.sock = connection
        http.putrequest(
            "GET",
            f"{trial.origin}{target}",
            skip_host=True,
            skip_accept_encoding=True,
        )
        for name, value in self._list_lines(trial):
            # Any byte can be named, as Latin-1.
            http.putheader(name, value.encode("latin-1"))
        http.endheaders()
        response = http.getresponse()
        body = response.read(self._limits.most_bytes)
        return Answer(
            status=response.status, headers=tuple(response.getheaders()), body=body
        )

    def _list_lines(self, trial: Trial) -> Iterator[Line]:
        for host in (self._target.authority,) if trial.hosts is None else trial.hosts:
            yield "Host", host
        yield from self._lines
        if self._token is not None and trial.has_token:
            yield self._token
        yield from trial.lines
        for forgery in trial.forgeries:
            if forgery.name != "Host":
                yield forgery.line
        if not any(name == "Connection" for name, _ in trial.lines):
            yield "Connection", "close"


def _resolve(target: Target) -> tuple[socket.AddressFamily, tuple[Any, ...] | str]:
    """Resolve the name once, so that all requests go to the same machine."""
    if target.socket:
        return socket.AF_UNIX, target.socket
    try:
        found = socket.getaddrinfo(target.server, target.port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError):
        raise ConfigurationError(
            "URL", target.server, "a name that has an address here"
        ) from None
    return found[0][0], found[0][4]


_LATE = "it did not answer in time"


def _fail(reason: str) -> Answer:
    return Answer(status=0, failure=reason)


def _describe(error: OSError | HTTPException) -> str:
    """Say why there is no answer, in words that are the same everywhere."""
    if isinstance(error, TimeoutError):
        return _LATE
    if isinstance(error, ConnectionRefusedError):
        return "nothing listens there"
    if isinstance(error, HTTPException):
        return "it closed the connection, or answered with what is no HTTP"
    return error.strerror or type(error).__name__

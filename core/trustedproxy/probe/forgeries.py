"""
Forge header lines, each with a text of its own that can be found again.

In:  known headers, the scheme to forge, a source of random numbers.
Out: `Forger`, which makes `Forgery` records.

What is forged belongs to nobody: addresses, names and networks that are reserved for
documentation (RFC 5737, RFC 2606).
"""

from __future__ import annotations

from collections.abc import Callable
from itertools import cycle
from random import Random

from ..headers import FORMS_OF, KNOWN_HEADERS, Category, Form
from .records import Forgery

_NETWORKS = ("192.0.2", "198.51.100", "203.0.113")
_PORTS = range(20_000, 60_000)
#: A method that nobody has.
METHOD = "PROBE"
_BY_NAME = {header.name: header for header in KNOWN_HEADERS}


class Forger:
    """
    Makes forged lines for one run.

    Args:
        scheme: The scheme that is forged.

        random: Makes the texts differ from those of another run.
    """

    def __init__(self, scheme: str, random: Random) -> None:
        self.scheme = scheme
        self.run: str = f"{random.getrandbits(32):08x}"
        addresses = [f"{net}.{last}" for net in _NETWORKS for last in range(1, 255)]
        random.shuffle(addresses)
        self._addresses = cycle(addresses)
        self._ports = cycle(random.sample(_PORTS, 1000))
        self._count = 0

    def make_address(self) -> str:
        """Make an address that is nobody's."""
        return next(self._addresses)

    def make_host(self) -> str:
        """Make a host that is nobody's."""
        return f"h{self._next()}-{self.run}.example"

    def make_port(self) -> str:
        """Make a port."""
        return str(next(self._ports))

    def make_path(self) -> str:
        """Make a path that leads nowhere."""
        return f"/p{self._next()}-{self.run}"

    def _next(self) -> int:
        self._count += 1
        return self._count

    def forge(
        self,
        name: str,
        spelled: str | None = None,
        category: Category = Category.CLIENT,
    ) -> Forgery:
        """
        Forge the header *name*.

        Args:
            name: As the table has it, or a custom header's.

            spelled: How it is sent.

            category: What a custom header is for.
        """
        header = _BY_NAME.get(name)
        if header is None:
            make = _FORGE[FORMS_OF[category][0]]
        elif header.form is Form.NEVER:
            make = _FORGE_UNREAD[header.category]
        else:
            make = _FORGE[header.form]
        value, marks = make(self, name)
        return Forgery(name=spelled or name, value=value, header=name, marks=marks)


_Made = tuple[str, dict[Category, str]]


def _make_address(forger: Forger, name: str) -> _Made:
    mark = forger.make_address()
    return mark, {Category.CLIENT: mark}


def _make_address_and_port(forger: Forger, name: str) -> _Made:
    mark = forger.make_address()
    return f"{mark}:4711", {Category.CLIENT: mark}


def _make_scheme(forger: Forger, name: str) -> _Made:
    return forger.scheme, {Category.SCHEME: forger.scheme}


def _make_flag(forger: Forger, name: str) -> _Made:
    value = "on" if forger.scheme == "https" else "off"
    return value, {Category.SCHEME: forger.scheme}


def _make_visitor(forger: Forger, name: str) -> _Made:
    return f'{{"scheme":"{forger.scheme}"}}', {Category.SCHEME: forger.scheme}


def _make_certificate(forger: Forger, name: str) -> _Made:
    # It is there over TLS alone, so that it can say nothing but that.
    return "2048|128|CN=probe.example", {Category.SCHEME: "https"}


def _make_host(forger: Forger, name: str) -> _Made:
    mark = forger.make_host()
    return mark, {Category.HOST: mark}


def _make_server(forger: Forger, name: str) -> _Made:
    mark = forger.make_host()
    return mark, {Category.SERVER: mark}


def _make_port(forger: Forger, name: str) -> _Made:
    mark = forger.make_port()
    return mark, {Category.PORT: mark}


def _make_mount_point(forger: Forger, name: str) -> _Made:
    mark = forger.make_path()
    return mark, {Category.MOUNT_POINT: mark}


def _make_forwarded(forger: Forger, name: str) -> _Made:
    address, host = forger.make_address(), forger.make_host()
    marks = {
        Category.CLIENT: address,
        Category.SCHEME: forger.scheme,
        Category.HOST: host,
    }
    return f'for={address};proto={forger.scheme};host="{host}"', marks


def _make_other(forger: Forger, name: str) -> _Made:
    if name == "X-Forwarded-Method":
        return METHOD, {Category.OTHER: METHOD}
    if name == "X-Forwarded-By":
        mark = forger.make_address()
        return mark, {Category.OTHER: mark}
    mark = forger.make_path()
    return mark, {Category.OTHER: mark}


_FORGE: dict[Form, Callable[[Forger, str], _Made]] = {
    Form.ADDRESS: _make_address,
    Form.ADDRESS_LIST: _make_address,
    Form.ADDRESS_COLON_PORT: _make_address_and_port,
    Form.SCHEME: _make_scheme,
    Form.FLAG: _make_flag,
    Form.CF_VISITOR: _make_visitor,
    Form.HOST: _make_host,
    Form.SERVER: _make_server,
    Form.PORT: _make_port,
    Form.MOUNT_POINT: _make_mount_point,
    Form.FORWARDED: _make_forwarded,
}
#: The same for headers whose form is never read.
_FORGE_UNREAD: dict[Category, Callable[[Forger, str], _Made]] = {
    Category.SCHEME: _make_certificate,
    Category.OTHER: _make_other,
}

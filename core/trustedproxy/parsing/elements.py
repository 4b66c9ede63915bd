"""
The elements of a client header, whatever its form.

In:  a header's form and its value.
Out: how an element names an address, in one table; and for those who look at all of
     them, the elements nearest first.
"""

from __future__ import annotations

from collections.abc import Callable

from ..headers import Form
from .addresses import FoundHop, Hop, as_hop, find_hop, find_hop_colon_port
from .forwarded import parse_element, partition_from_right
from .lists import PARTITION, split_from_right
from .values import BLANKS


def _find_node(text: str) -> FoundHop | None:
    """Find the address in an element of ``Forwarded``, and what it says besides."""
    element = parse_element(text)
    if element is None:
        return None
    node, proto, host = element
    found = None if node is None else find_hop(node, forwarded=True)
    if found is None:
        return None
    address, port, packed, _ = found
    return address, port, packed, (proto, host)


#: Form of a client header → how the address in an element is found.
HOP_FINDERS: dict[Form, Callable[[str], FoundHop | None]] = {
    Form.ADDRESS: find_hop,
    Form.ADDRESS_LIST: find_hop,
    Form.ADDRESS_COLON_PORT: find_hop_colon_port,
    Form.FORWARDED: _find_node,
}


def split_elements(form: Form, value: str) -> list[str | None]:
    """List the elements nearest first; ``None`` for what is not read (rule R13)."""
    if form in (Form.ADDRESS, Form.ADDRESS_COLON_PORT):
        text = value.strip(BLANKS)
        return [text] if text else []
    is_forwarded = form is Form.FORWARDED
    return split_from_right(value, partition_from_right if is_forwarded else PARTITION)


def read_element(form: Form, text: str | None) -> Hop | None:
    """Read the address that an element names, or ``None``."""
    return None if text is None else as_hop(HOP_FINDERS[form](text))

"""
The elements of a client header, whatever its form, for those who look at all of them.

In:  a header's form and its value.
Out: elements nearest first, and the address that one names.
"""

from __future__ import annotations

from ..headers import Form
from .addresses import Hop, as_hop, find_hop, find_hop_colon_port, parse_hop
from .forwarded import parse_element, partition_from_right
from .lists import PARTITION, split_from_right
from .values import BLANKS


def split_elements(form: Form, value: str) -> list[str | None]:
    """List the elements nearest first; ``None`` for what is not read (rule R13)."""
    if form in (Form.ADDRESS, Form.ADDRESS_COLON_PORT):
        text = value.strip(BLANKS)
        return [text] if text else []
    is_forwarded = form is Form.FORWARDED
    return split_from_right(value, partition_from_right if is_forwarded else PARTITION)


def read_element(form: Form, text: str | None) -> Hop | None:
    """Read the address that an element names, or ``None``."""
    if text is None:
        return None
    if form is Form.ADDRESS_COLON_PORT:
        return as_hop(find_hop_colon_port(text))
    if form is not Form.FORWARDED:
        return parse_hop(text)
    node, _, _ = parse_element(text) or (None, None, None)
    return None if node is None else as_hop(find_hop(node, forwarded=True))

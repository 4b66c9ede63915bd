"""
A header by which a proxy says that a request is secure, as tools describe it.

In:  the header's name, and the one value that says https.
Out: the header as it is trusted here, if any form says the same.
"""

from __future__ import annotations

from ...headers import Category, Form
from ..record import find_header, spell_header

_FLAG_ON = ("on", "true", "1")


def read_scheme_header(name: str, secure: str) -> str | None:
    """
    Find how a header with the value *secure* for https is trusted here.

    Args:
        name: The header's name, in any case, with hyphens or underscores.

        secure: The value by which it says https.

    Returns:
        A known header's name, a custom header, or `None` where no form says it.
    """
    header = find_header(name)
    forms = {Form.SCHEME: secure == "https", Form.FLAG: secure in _FLAG_ON}
    if header is not None:
        fits = header.category is Category.SCHEME and forms.get(header.form, False)
        return header.name if fits else None
    for form, fits in forms.items():
        if fits:
            return spell_header(name.replace("_", "-").title(), Category.SCHEME, form)
    return None

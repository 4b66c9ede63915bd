"""The mark on views that may be reached over plain HTTP."""

from __future__ import annotations

from trustedproxy.https_only import https_exempt, is_https_exempt


def test_exempt_view() -> None:
    """A view that is marked is known as such, and stays the same function."""

    def view() -> None: ...

    assert not is_https_exempt(view)
    assert https_exempt(view) is view
    assert is_https_exempt(view)

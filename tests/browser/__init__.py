"""The built documentation, looked at with a real browser."""

from __future__ import annotations

"""Look at what gets installed."""

from __future__ import annotations

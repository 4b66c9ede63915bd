"""Run the examples through real servers."""

from __future__ import annotations

"""Conversions, held against the real tools that they come from."""

from __future__ import annotations

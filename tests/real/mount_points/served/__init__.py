"""Applications that real servers load by the path of this folder."""

from __future__ import annotations

"""Proxy mount points over real sockets, in this process and behind real servers."""

from __future__ import annotations

"""The tests of the core: one module here per module of `trustedproxy`."""

from __future__ import annotations

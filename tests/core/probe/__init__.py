"""The tests of `trustedproxy.probe`; those with real front ends are in `real/probe`."""

from __future__ import annotations

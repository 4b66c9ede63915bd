"""Tests of `trustedproxy.convert`, without any of the tools that are converted."""

from __future__ import annotations

"""Tests of `trustedproxy.presets`."""

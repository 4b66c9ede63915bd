"""Tests of the proxy mount points' pure parts."""

"""Tests that start real proxies and servers, on loopback and free ports."""

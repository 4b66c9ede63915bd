"""Tests of what the documentation says: its examples are run as they are printed."""

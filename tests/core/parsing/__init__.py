"""Tests of the parsers: one file for each."""

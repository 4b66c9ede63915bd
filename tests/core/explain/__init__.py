"""Requests explained: every step, its reason in words, and what to change."""

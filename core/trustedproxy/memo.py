"""
What was worked out before, within bounds.

In:  keys that come again, and what was worked out for them.
Out: `Memo`.

What is remembered is a pure function of its key, so that nothing depends on earlier
requests.  Whoever fills a memo decides which keys are short, and worth it.  No lock is
taken: the worst that a race can do is to work something out twice.
"""

from __future__ import annotations

from typing import TypeVar

_MOST = 1024

Key = TypeVar("Key")
Value = TypeVar("Value")


class Memo(dict[Key, Value]):
    """A dictionary that is emptied when it is full."""

    __slots__ = ()

    def remember(self, key: Key, value: Value) -> Value:
        """Remember *value* at *key*, and return it."""
        if len(self) >= _MOST and key not in self:
            self.clear()
        self[key] = value
        return value

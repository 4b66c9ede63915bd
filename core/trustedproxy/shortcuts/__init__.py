"""
The short way for what nearly every request is.

In:  compiled rules, and the long way: read, decide, write.
Out: a function that does the same, sooner where a request is an ordinary one; only a
     notice about servers, and a header that is missing again, may be told later.

No rule stands here.  A believed request differs from the one before it in its client
alone, so what the rules once decided about everything else is remembered and written
again; who the client is, they find each time.  A direct request loses its forwarding
headers.  Whatever is out of the ordinary takes the long way, and a test holds the two
against each other.
"""

from __future__ import annotations

from .asgi import compile_apply_scope
from .wsgi import compile_call

__all__ = ["compile_apply_scope", "compile_call"]

"""
``python -m trustedproxy``: the command ``trustedproxy``.

In:  the words of the command line.
Out: an exit status.
"""

from __future__ import annotations

import sys

from .cli import main

if __name__ == "__main__":
    sys.exit(main())

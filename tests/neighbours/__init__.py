"""
What other people's packages make of the corrected requests, as the docs advise.

In:  the packages themselves, set up as their users do, and the docs' settings.
Out: the right client, scheme, host and path in each of them, and a silent log.
"""

from __future__ import annotations

"""
The oracle: the real mod_wsgi on a real Apache, asked the same as this project.

Start with `policies` and `requests`, what is asked; then `ledger`, every way in which
the answers may differ and why; then `test_trusted_headers`, which compares them.
`apache` starts the server, `echo` is the application that it serves.
"""

from __future__ import annotations

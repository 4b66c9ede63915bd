"""
The Flask extension, through Flask's own `wsgi_app`.

In:  an application and requests of Werkzeug's test client.
Out: what the application saw.
"""

from __future__ import annotations

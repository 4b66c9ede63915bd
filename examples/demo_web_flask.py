"""
The Flask application of the demo in the browser: one page, and the page about it.

In:  the environment variable ``DEMO_SETTINGS``: configuration as JSON.
Out: ``app``.
"""

from __future__ import annotations

import json
import os

from flask import Flask, render_template_string, request, url_for

from flask_trustedproxy import TrustedProxy
from flask_trustedproxy.views import page

app = Flask(__name__)
app.config.update(
    {
        "SECRET_KEY": "only for this demo, on this machine",
        **json.loads(os.environ.get("DEMO_SETTINGS", "{}")),
    }
)
TrustedProxy(app)
app.register_blueprint(page, url_prefix="/trustedproxy")

TEMPLATE = """<!DOCTYPE html><html lang=en><title>Orders</title><h1>Orders (Flask)</h1>
<p>You are {{ client }}, and this page is {{ url }}.</p>
<p><a href="{{ link }}">What the application sees</a></p></html>"""


@app.get("/")
def orders() -> str:
    """Say who the visitor is, and link to the page that says why."""
    return render_template_string(
        TEMPLATE,
        client=request.remote_addr,
        url=request.url,
        link=url_for("trustedproxy.show"),
    )

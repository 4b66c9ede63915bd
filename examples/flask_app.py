"""
The smallest Flask application behind a proxy.

Run it with ``gunicorn --chdir examples flask_app:app``.
"""

from __future__ import annotations

from flask import Flask, request

from flask_trustedproxy import TrustedProxy

app = Flask(__name__)
app.config.update(
    TRUSTED_PROXY_HEADERS=["X-Forwarded-For", "X-Forwarded-Proto"],
    TRUSTED_PROXIES=["loopback"],
    TRUSTED_PROXY_STRIP="all",
)
TrustedProxy(app)


@app.get("/")
def what_i_see() -> dict[str, str | None]:
    """Answer with the client's address and scheme as the application sees them."""
    return {"client": request.remote_addr, "scheme": request.scheme}

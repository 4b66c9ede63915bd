"""
The Flask application of the demo: it answers with what it sees of the client.
"""

from __future__ import annotations

from typing import Any

from demo_settings import POLICY_IS_ON, TRUSTED_PROXY, find_claims
from flask import Flask, request, url_for

from flask_trustedproxy import TrustedProxy, current_decision

app = Flask(__name__)
if POLICY_IS_ON:
    app.config.update(TRUSTED_PROXY)
    TrustedProxy(app)


@app.get("/")
@app.get("/orders", endpoint="orders")
def what_i_see() -> dict[str, Any]:
    """Answer with the client, a link to a page here, and the decision's reason."""
    return {
        "client": request.remote_addr,
        "link": url_for("orders", _external=True),
        "claims": find_claims(request.environ),
        "reason": current_decision.reason if POLICY_IS_ON else None,
    }

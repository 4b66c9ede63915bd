"""
What Flask does by itself beside the policy, for explanations and checks.

In:  an application.
Out: a `trustedproxy.framework.Framework`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from trustedproxy.framework import Framework

from .site import FlaskSite

if TYPE_CHECKING:
    from flask import Flask


def read_framework(app: Flask) -> Framework:
    """Read what the configuration of *app* says, and its class of requests."""
    site = FlaskSite(app)
    return Framework(
        name="Flask",
        site=site,
        allowed_hosts=site.allowed_hosts,
        hosts_setting="TRUSTED_HOSTS",
    )

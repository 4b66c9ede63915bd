"""
Flask-Talisman's part of HTTPS: the redirect and the HSTS header.

In:  ``Talisman(app, force_https=True, ...)``, ``talisman.init_app(app, ...)``.
Out: the scheme's header, HTTPS only, the HSTS policy.

Source: Flask-Talisman's ``talisman.py``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..record import Effect
from ..sources.python_source import find_arguments
from .hsts_policy import add_hsts
from .kind import Found, Kind

if TYPE_CHECKING:
    from ..reading import Reading
    from ..sources.python_source import Call
    from ..sources.source import Source

MAX_AGE = "strict_transport_security_max_age"
SUBDOMAINS = "strict_transport_security_include_subdomains"
PRELOAD = "strict_transport_security_preload"
DEFAULT_MAX_AGE = 31556926

#: In the order of Talisman.init_app.
PARAMETERS = (
    "app",
    "feature_policy",
    "permissions_policy",
    "document_policy",
    "force_https",
    "force_https_permanent",
    "force_file_save",
    "frame_options",
    "frame_options_allow_from",
    "strict_transport_security",
    PRELOAD,
    MAX_AGE,
    SUBDOMAINS,
    "content_security_policy",
    "content_security_policy_report_uri",
    "content_security_policy_report_only",
    "content_security_policy_nonce_in",
    "referrer_policy",
    "session_cookie_secure",
    "session_cookie_http_only",
    "session_cookie_samesite",
    "x_content_type_options",
    "x_xss_protection",
)
#: Accepted by former versions.
_FORMER = ("legacy_content_security_policy_header",)

#: Ranks: what an extension is given later replaces what it was made with.
_MADE, _USED = range(2)


def _find(source: Source) -> list[Found]:
    python = source.python
    functions = {"Talisman": (*PARAMETERS, *_FORMER), "init_app": PARAMETERS}
    found: list[Found] = []
    for call, parameters in find_arguments(python, functions):
        if call.name == "init_app" and not _is_ours(call):
            continue
        options = python.arguments(call, parameters)
        # Without an application it is one that init_app is called of.
        used = call.node.args or call.node.keywords
        found.append(Found(call.where, options, _USED if used else _MADE))
    return found


def _is_ours(call: Call) -> bool:
    """Say whether an extension's init_app is that of Talisman: by name, or options."""
    names = {keyword.arg for keyword in call.node.keywords} - {"app"}
    return "talisman" in call.function.lower() or (
        bool(names) and names <= set(PARAMETERS)
    )


def _convert(reading: Reading) -> None:
    draft = reading.draft
    draft.headers = ["X-Forwarded-Proto"]
    forced = reading.flag("force_https", True)
    sent = reading.flag("strict_transport_security", True)
    if forced:
        permanent = reading.flag("force_https_permanent", False)
        draft.settings["TRUSTED_PROXY_HTTPS_ONLY"] = True
        draft.settings["TRUSTED_PROXY_HTTPS_STATUS"] = 301 if permanent else 302
        if sent:
            add_hsts(
                reading,
                reading.number(MAX_AGE, DEFAULT_MAX_AGE),
                include_subdomains=reading.flag(SUBDOMAINS, True),
                preload=reading.flag(PRELOAD, False),
                option=PRELOAD,
            )
        _note_redirect(reading)
    elif sent:
        reading.note(
            Effect.CHANGES,
            "hsts-stays",
            "The HSTS header is sent here together with HTTPS only alone. Let Talisman "
            "go on sending it.",
            "strict_transport_security",
        )
    off = "force_https=False" if forced else "its other options"
    if forced and sent:
        off += ", strict_transport_security=False"
    reading.note(
        Effect.TO_DO,
        "keep-talisman",
        f"Keep Talisman with {off}: content security policy, frames, cookies and the "
        "rest are not the business of this project.",
    )
    reading.note(
        Effect.STRICTER,
        "header-from-anybody",
        "Talisman looks at X-Forwarded-Proto itself, from anybody. From peers that are "
        "not trusted the header is gone before Talisman sees it, if the policy is "
        "around the application.",
    )


def _note_redirect(reading: Reading) -> None:
    reading.note(
        Effect.CHANGES,
        "redirect-status",
        "Methods other than GET and HEAD are redirected with 307 or 308, which keeps "
        "method and body. The port of the plain request is dropped.",
        "force_https",
    )
    reading.note(
        Effect.CHANGES,
        "debug-mode",
        "Talisman does not redirect in Flask's debug mode. Set "
        "TRUSTED_PROXY_HTTPS_ONLY to False there.",
    )
    reading.note(
        Effect.NO_EQUIVALENT,
        "per-view",
        "@talisman(force_https=False) on a view has no setting: write its path into "
        "TRUSTED_PROXY_HTTPS_EXEMPT.",
    )


KIND = Kind(
    "flask-talisman",
    "Flask-Talisman",
    "a call of Talisman or of its init_app in Python source",
    _find,
    _convert,
    function="Talisman",
)

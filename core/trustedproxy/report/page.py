"""
Who sees what: the page, the form in which a token is entered, the answer to a probe.

In:  a `Visit`, and the word of a framework that has let somebody in by itself.
Out: an `Answer`, to be sent in the way of WSGI, of ASGI or of a framework.

A session comes from a token, once; nothing else of the page is kept.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Self

from ..exceptions import ConfigurationError
from ..explain import explain_request, list_rows
from ..explain.case import Case
from ..explain.explaining import explain_case
from ..explain.masks import Masks
from ..framework import NO_FRAMEWORK, Framework
from ..responses import Answer, refuse
from . import recent
from .asgi import PageASGIApplication, PageASGIEntrance
from .document import HEADERS, write_frame, write_page, write_token_form
from .sections import Contents
from .tokens import (
    LIFETIMES,
    FileUses,
    FormTokens,
    TokenKind,
    Tokens,
    can_sign,
    refuse_secret,
)
from .trying import RequestError, describe_fields, read_request
from .visits import COOKIE, TOKEN_HEADER
from .wsgi import PageApplication, PageEntrance

if TYPE_CHECKING:
    from .._types import ASGIApp, WSGIApp
    from ..explain import Explanation, Request
    from ..settings import Settings
    from .tokens import Uses
    from .visits import Visit

_METHODS = ("GET", "HEAD", "POST")


class Page:
    """
    The page of one application.

    ``page.wsgi`` and ``page.asgi`` are applications to mount; ``page.wrap_wsgi(app)``
    and ``page.wrap_asgi(app)`` stand around a whole application instead, outside of
    everything, so that the page opens where each request is redirected or rejected.

    Args:
        settings: What is in force.

        secret:
            What tokens are signed with, at least 16 characters; ``None``: no token
            opens the page, and only a framework lets anybody in.

        uses:
            Where used tokens are remembered; ``None``: in the file that
            ``TRUSTED_PROXY_TOKEN_FILE`` names.

        form_secret:
            What the page's own form is signed with where *secret* is ``None``;
            ``None``: a key that only this process has.

        framework: What the application does by itself.

        path: The path of the page, which begins and ends with a slash.

    Raises:
        ConfigurationError:
            The secret is too short, the path is none, or a secret is given and nothing
            says where used tokens are remembered.
    """

    def __init__(
        self,
        settings: Settings,
        *,
        secret: str | bytes | None = None,
        uses: Uses | None = None,
        form_secret: str | bytes | None = None,
        framework: Framework = NO_FRAMEWORK,
        path: str = "/trustedproxy/",
    ) -> None:
        if not (path.startswith("/") and path.endswith("/") and len(path) > 1):
            raise ConfigurationError("path", path, "a path such as /trustedproxy/")
        self.settings: Settings = settings
        self.framework: Framework = framework
        self.path: str = path
        self._tokens: Tokens | None = None
        if secret is not None:
            if uses is None:
                uses = open_file(settings)
            self._tokens = Tokens(secret, uses)
        self._forms = FormTokens(form_secret if secret is None else secret)
        self._masks = Masks(settings.policy)
        recent.keep()

    @classmethod
    def of_project(
        cls,
        settings: Settings,
        *,
        secret: str | bytes | None,
        uses: Uses | None,
        framework: Framework,
    ) -> Self:
        """
        Make the page of a framework's project, which is there without tokens too.

        Args:
            settings: What is in force.

            secret: The project's own; with one that is too short there are no tokens.

            uses: Where used tokens are remembered; ``None``: there are none.

            framework: What the application does by itself.
        """
        signs = uses is not None and can_sign(secret)
        return cls(
            settings,
            secret=secret if signs else None,
            uses=uses,
            form_secret=secret,
            framework=framework,
        )

    @property
    def wsgi(self) -> WSGIApp:
        """The page alone, to mount into a WSGI application."""
        return PageApplication(self)

    @property
    def asgi(self) -> ASGIApp:
        """The page alone, to mount into an ASGI application."""
        return PageASGIApplication(self)

    def wrap_wsgi(self, app: WSGIApp) -> WSGIApp:
        """Answer for the page before *app* and everything in it does."""
        return PageEntrance(app, self, self.path)

    def wrap_asgi(self, app: ASGIApp) -> ASGIApp:
        """The same for an ASGI application."""
        return PageASGIEntrance(app, self, self.path)

    def make_token(self, kind: TokenKind = TokenKind.PAGE) -> str:
        """
        Make a token to hand to whoever may see the page.

        Raises:
            ConfigurationError: The page has no secret.
        """
        if self._tokens is None:
            raise ConfigurationError("secret", None, "given, to sign tokens with")
        return self._tokens.make(kind)

    # -- answers ---------------------------------------------------------------------

    def answer(self, visit: Visit, *, admitted: str | None = None) -> Answer:
        """
        Answer a request for the page.

        Args:
            visit: The request.

            admitted:
                Whom the framework has let in by itself, in a word that stays the same
                while the page is open; ``None``: nobody.
        """
        if visit.method not in _METHODS:
            return refuse(405, "", ("Allow", ", ".join(_METHODS)), *_SAFE)
        if visit.token is not None:
            return self._answer_token(visit, visit.token)
        if visit.method == "POST" and "token" in visit.fields:
            return self._exchange(visit)
        subject = self._find_session(visit) or admitted
        if subject is None:
            # To whoever asks for the form, it is no refusal.
            return _show_form(200 if visit.asks_for_form else 403)
        if visit.wants_json:
            return _send_json(self.as_dict(visit.read()))
        return _send_html(200, self._write(visit, subject))

    def answer_early(self, visit: Visit) -> Answer | None:
        """
        Answer a request before anything else looks at it, or leave it alone.

        Returns:
            ``None`` for a request of somebody who holds nothing, and does not ask for
            the form in which a token is entered.
        """
        if self._tokens is None:
            return None
        asks = visit.token is not None or visit.asks_for_form
        if asks or self._find_session(visit) is not None:
            return self.answer(visit)
        return None

    def as_dict(self, request: Request) -> dict[str, Any]:
        """
        Say what the page shows in plain values, as ``trustedproxy probe`` reads it.

        Returns:
            ``decision`` as of `Decision.as_dict`, ``explanation`` as of
            `Explanation.as_dict`; with secrets masked in both.
        """
        case = Case(self.settings, request, self.framework)
        return {
            "decision": case.decision.as_dict(),
            "explanation": explain_case(case).as_dict(),
        }

    def explain(self, request: Request) -> Explanation:
        """Explain *request* as the page does."""
        return explain_request(self.settings, request, self.framework)

    def write_frame(self, explanation: Explanation) -> str:
        """Write what the page shows of a request, for a frame in another page."""
        return write_frame(self._describe(explanation))

    def _answer_token(self, visit: Visit, token: str) -> Answer:
        """Answer a token in a header: a probe with JSON, others with a session."""
        if self._tokens is not None:
            if self._tokens.opens_probe(token):
                return _send_json(self.as_dict(visit.read()))
            session = self._tokens.exchange(token)
            if session is not None:
                cookie = ("Set-Cookie", _write_cookie(visit, session))
                if visit.wants_json:
                    return _send_json(self.as_dict(visit.read()), cookie)
                subject = self._tokens.find_session(session) or ""
                return _send_html(200, self._write(visit, subject), cookie)
        return refuse(403, f"{TOKEN_HEADER}: {_REFUSED}", *_SAFE)

    def _exchange(self, visit: Visit) -> Answer:
        """Exchange the token of the form for a cookie, and go to the page."""
        session = None
        if self._tokens is not None:
            session = self._tokens.exchange(visit.fields["token"])
        if session is None:
            return _show_form(403, _REFUSED)
        return Answer(
            303,
            (
                ("Location", "./"),
                ("Content-Type", "text/plain; charset=utf-8"),
                ("Content-Length", "0"),
                ("Set-Cookie", _write_cookie(visit, session)),
                *HEADERS,
            ),
        )

    def _find_session(self, visit: Visit) -> str | None:
        if self._tokens is None or not visit.session:
            return None
        return self._tokens.find_session(visit.session)

    def _write(self, visit: Visit, subject: str) -> str:
        """Write the page about the request that came, or that the box describes."""
        token = self._forms.make(subject)
        if visit.method != "POST":
            explanation = self.explain(visit.read())
            return write_page(self._describe(explanation, form_token=token))
        if not self._forms.check(subject, visit.fields.get("form", "")):
            explanation = self.explain(visit.read())
            shown = self._describe(explanation, form_token=token, error=_STALE)
            return write_page(shown)
        try:
            request = read_request(self.settings.policy, visit.fields)
        except RequestError as error:
            shown = self._describe(
                self.explain(visit.read()),
                form_token=token,
                error=self._masks.mask(str(error)),
                fields=self._mask_fields(visit),
            )
            return write_page(shown)
        explanation = self.explain(request)
        return write_page(self._describe(explanation, form_token=token, tried=True))

    def _mask_fields(self, visit: Visit) -> dict[str, str]:
        return {name: self._masks.mask(text) for name, text in visit.fields.items()}

    def _describe(
        self,
        explanation: Explanation,
        *,
        form_token: str = "",
        error: str = "",
        tried: bool = False,
        fields: dict[str, str] | None = None,
    ) -> Contents:
        return Contents(
            explanation=explanation,
            policy=self.settings.policy,
            rows=list_rows(self.settings),
            fields=describe_fields(explanation) if fields is None else fields,
            form_token=form_token,
            error=error,
            tried=tried,
            records=recent.list_recent(),
            mask=self._masks.mask,
            mask_record=self._masks.mask_record,
            framework=self.framework,
        )


_REFUSED = "this token is not good, or not any more, or it was used before."
_STALE = "The form was too old, and nothing was tried. Send it again."
#: What goes with an answer that is plain text and no page.
_SAFE = tuple(header for header in HEADERS if header[0] != "Cache-Control")


def make_project_token(
    kind: TokenKind, *, option: str, secret: str | bytes | None, uses: Uses
) -> str:
    """
    Make a token for the page of a framework's project.

    Args:
        kind: What it is for.

        option: What the project calls its secret.

        secret: That secret.

        uses: Where used tokens are remembered.

    Raises:
        ConfigurationError: The secret is missing, or too short.
    """
    if not can_sign(secret):
        raise refuse_secret(option, secret)
    return Tokens(secret, uses).make(kind)


def open_file(settings: Settings, reason: str = "") -> FileUses:
    """
    Open the file that remembers used tokens.

    Args:
        settings: What is in force.

        reason: Why nothing else remembers them, as the end of a sentence.

    Raises:
        ConfigurationError: No setting names it.
    """
    if settings.token_file is None:
        raise ConfigurationError(
            "TRUSTED_PROXY_TOKEN_FILE",
            None,
            "the path of a file that all processes of the server can write, where used "
            f"tokens are remembered, such as /run/app/tokens.sqlite3{reason}",
        )
    return FileUses(settings.token_file)


def _show_form(status: int, error: str = "") -> Answer:
    sentence = f"{error[:1].upper()}{error[1:]}"
    return _send_html(status, write_token_form(sentence))


def _write_cookie(visit: Visit, session: str) -> str:
    """
    Write the cookie for the path that the browser sees, whatever is in front of it.

    Without a path it is that of the address itself.  Whether the browser has a secure
    connection, its ``Origin`` knows even where the application does not.
    """
    secure = visit.secure or visit.origin.startswith("https://")
    parts = [f"{COOKIE}={session}", f"Max-Age={LIFETIMES[TokenKind.SESSION]}"]
    parts += ["HttpOnly", "SameSite=Strict", *(["Secure"] if secure else [])]
    return "; ".join(parts)


def _send_html(status: int, html: str, *headers: tuple[str, str]) -> Answer:
    return _send(status, "text/html; charset=utf-8", html, headers)


def _send_json(said: dict[str, Any], *headers: tuple[str, str]) -> Answer:
    # Nothing in it is a character that an old client could take for another's.
    return _send(200, "application/json", json.dumps(said), headers)


def _send(
    status: int, kind: str, text: str, headers: tuple[tuple[str, str], ...]
) -> Answer:
    body = text.encode("utf-8", "backslashreplace")
    return Answer(
        status,
        (
            ("Content-Type", kind),
            ("Content-Length", str(len(body))),
            *headers,
            *HEADERS,
        ),
        body,
    )

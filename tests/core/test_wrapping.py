"""
What `Settings` puts around an application, and in which order.

In:  settings, and requests as servers hand them over.
Out: what the application saw, and what was answered instead of it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Any

import pytest

from trustedproxy import DECISION_KEY, Settings, log, mount_points, read_settings

POLICY: Mapping[str, Any] = {
    "TRUSTED_PROXY_HEADERS": "X-Forwarded-For X-Forwarded-Proto X-Forwarded-Host",
    "TRUSTED_PROXIES": "10.0.0.0/8",
}
PLAIN = {"x-forwarded-for": "203.0.113.7", "x-forwarded-proto": "http"}
SECURE = {"x-forwarded-for": "203.0.113.7", "x-forwarded-proto": "https"}


class Application:
    """An application, WSGI and ASGI, that keeps what it was called with."""

    def __init__(self) -> None:
        self.seen: list[Any] = []

    def wsgi(self, environ: Any, start_response: Any) -> list[bytes]:
        """Answer a WSGI request."""
        self.seen.append(environ)
        start_response("204 No Content", [])
        return []

    async def asgi(self, scope: Any, receive: Any, send: Any) -> None:
        """Answer an ASGI request."""
        self.seen.append(scope)
        if scope["type"] == "http":
            await send({"type": "http.response.start", "status": 204, "headers": []})
            await send({"type": "http.response.body"})


class Site:
    """What stands in for a framework: it keeps what it is asked."""

    def __init__(self, *, accepts: bool = True, exempts: bool = False) -> None:
        self.accepts, self.exempts = accepts, exempts
        self.asked: list[str] = []

    def accepts_host(self, request: Mapping[str, Any]) -> bool:
        """Keep that the host was asked for."""
        assert DECISION_KEY in request
        self.asked.append("host")
        return self.accepts

    def exempts_view(self, request: Mapping[str, Any]) -> bool:
        """Keep that the view was asked for."""
        self.asked.append("view")
        return self.exempts


def ask_wsgi(
    settings: Settings,
    application: Application,
    headers: Mapping[str, str] = PLAIN,
    **options: Any,
) -> int:
    """Ask a wrapped WSGI application, and return the status."""
    statuses: list[str] = []
    environ = {
        "REQUEST_METHOD": "GET",
        "SCRIPT_NAME": "",
        "PATH_INFO": options.pop("path", "/"),
        "SERVER_NAME": "a.example",
        "SERVER_PORT": "80",
        "HTTP_HOST": "a.example",
        "REMOTE_ADDR": "10.0.0.1",
        "wsgi.url_scheme": "http",
    }
    for name, value in headers.items():
        environ["HTTP_" + name.upper().replace("-", "_")] = value
    wrapped = settings.wrap_wsgi(application.wsgi, **options)
    list(wrapped(environ, lambda status, headers: statuses.append(status)))  # type: ignore[arg-type,return-value]  # a start_response of two arguments
    return int(statuses[0][:3])


def ask_asgi(
    settings: Settings,
    application: Application,
    headers: Mapping[str, str] = PLAIN,
    *,
    kind: str = "http",
    **options: Any,
) -> int:
    """Ask a wrapped ASGI application, and return the status; 0 where there is none."""
    sent: list[Any] = []
    path = options.pop("path", "/")
    scope = {
        "type": kind,
        "method": "GET",
        "scheme": "ws" if kind == "websocket" else "http",
        "path": path,
        "raw_path": path.encode(),
        "root_path": "",
        "query_string": b"",
        "client": ("10.0.0.1", 4711),
        "server": ("a.example", 80),
        "headers": [
            (b"host", b"a.example"),
            *((name.encode(), value.encode()) for name, value in headers.items()),
        ],
    }

    async def receive() -> Any:
        return {"type": f"{kind}.connect"}

    async def send(message: Any) -> None:
        sent.append(message)

    wrapped = settings.wrap_asgi(application.asgi, **options)
    asyncio.run(wrapped(scope, receive, send))  # type: ignore[arg-type]  # scopes are plain dictionaries here
    statuses = [message["status"] for message in sent if "status" in message]
    return statuses[0] if statuses else 0


each_surface = pytest.mark.parametrize("ask", [ask_wsgi, ask_asgi])


def get_client(seen: Any) -> str:
    """Return the client that an application saw."""
    address: str = seen["client"][0] if "client" in seen else seen["REMOTE_ADDR"]
    return address


@each_surface
def test_policy_alone(ask: Any) -> None:
    """The application sees the client, and nothing is redirected."""
    application = Application()

    status = ask(read_settings(POLICY), application)

    assert status == 204
    assert get_client(application.seen[0]) == "203.0.113.7"


@each_surface
def test_https_only_acts_on_the_clients_scheme(ask: Any) -> None:
    """It stands inside of the policy."""
    settings = read_settings({**POLICY, "TRUSTED_PROXY_HTTPS_ONLY": True})
    application = Application()

    statuses = [ask(settings, application, headers) for headers in (PLAIN, SECURE)]

    assert statuses == [301, 204]


@each_surface
@pytest.mark.parametrize(("hosts", "status"), [(["a.example"], 301), ([], 400)])
def test_https_only_for_allowed_hosts(ask: Any, hosts: list[str], status: int) -> None:
    """Without a framework the site's hosts are a list."""
    settings = read_settings({**POLICY, "TRUSTED_PROXY_HTTPS_ONLY": True})

    assert ask(settings, Application(), allowed_hosts=hosts) == status


@each_surface
@pytest.mark.parametrize(
    ("site", "status"),
    [(Site(), 301), (Site(accepts=False), 400), (Site(exempts=True), 204)],
    ids=["its own", "refused", "exempt"],
)
def test_https_only_asks_the_site(ask: Any, site: Site, status: int) -> None:
    """A framework refuses hosts and exempts views, of plain requests."""
    settings = read_settings({**POLICY, "TRUSTED_PROXY_HTTPS_ONLY": True})

    assert ask(settings, Application(), site=site) == status


@each_surface
def test_https_only_asks_no_site_about_secure_requests(ask: Any) -> None:
    """Only what may be redirected costs the framework's time."""
    settings = read_settings({**POLICY, "TRUSTED_PROXY_HTTPS_ONLY": True})
    site = Site()

    ask(settings, Application(), SECURE, site=site)

    assert site.asked == []


def test_https_only_asks_the_site_for_no_view_of_a_websocket() -> None:
    """A plain websocket is refused, whatever the view of its path."""
    settings = read_settings({**POLICY, "TRUSTED_PROXY_HTTPS_ONLY": True})
    site, application = Site(exempts=True), Application()

    ask_asgi(settings, application, kind="websocket", site=site)

    assert application.seen == []
    assert site.asked == ["host"]


@each_surface
def test_open_redirect_is_logged_without_a_site(
    ask: Any, caplog: pytest.LogCaptureFixture
) -> None:
    """A framework limits hosts by itself; without one, nothing does."""
    log.forget()
    settings = read_settings({**POLICY, "TRUSTED_PROXY_HTTPS_ONLY": True})

    ask(settings, Application(), site=Site())
    with_site = len(caplog.records)
    ask(settings, Application())

    assert with_site == 0
    assert "whatever host" in caplog.text


class Proxied:
    """What stands in for the proxy mount points."""

    def __init__(self, app: Any, points: Any, policy: Any, **_: Any) -> None:
        self.app = app

    def __call__(self, *arguments: Any) -> Any:
        """Answer with 200 in both ways."""
        if len(arguments) == 2:
            arguments[1]("200 OK", [])
            return []
        return self.send(*arguments)

    async def send(self, scope: Any, receive: Any, send: Any) -> None:
        """Answer an ASGI request."""
        if scope["type"] == "http":
            await send({"type": "http.response.start", "status": 200, "headers": []})


@pytest.fixture
def points(monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """Settings with proxy mount points that need no extra."""
    for name in ("ProxyMountPointsMiddleware", "ProxyMountPointsASGIMiddleware"):
        monkeypatch.setattr(mount_points, name, Proxied)
    return {**POLICY, "TRUSTED_PROXY_MOUNT_POINTS": {"/blog/": "http://127.0.0.1:9/"}}


@each_surface
@pytest.mark.parametrize(
    ("site", "status"),
    [(None, 200), (Site(), 200), (Site(accepts=False), 204)],
    ids=["no site", "its own", "refused"],
)
def test_mount_points_ask_the_site(
    ask: Any, site: Site | None, status: int, points: dict[str, Any]
) -> None:
    """A host that the framework refuses is the framework's to answer."""
    assert ask(read_settings(points), Application(), site=site) == status


def test_mount_points_ask_no_site_about_a_lifespan(points: dict[str, Any]) -> None:
    """A lifespan has no host."""
    site = Site()

    ask_asgi(read_settings(points), Application(), kind="lifespan", site=site)

    assert site.asked == []


@each_surface
def test_signals_are_outermost(ask: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """They are restricted with a request, even where it is answered by the others."""
    calls: list[str] = []
    monkeypatch.setattr(
        "trustedproxy.settings.restrict_signals", lambda: calls.append("")
    )
    settings = read_settings(
        {
            **POLICY,
            "TRUSTED_PROXY_HTTPS_ONLY": True,
            "TRUSTED_PROXY_RESTRICT_SIGNALS": True,
        }
    )

    status = ask(settings, Application())

    assert (status, len(calls)) == (301, 1)


def test_signals_are_not_restricted_by_a_lifespan(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """It is no request, and the server may not have set its handlers yet."""
    calls: list[str] = []
    monkeypatch.setattr(
        "trustedproxy.settings.restrict_signals", lambda: calls.append("")
    )
    settings = read_settings({**POLICY, "TRUSTED_PROXY_RESTRICT_SIGNALS": True})
    application = Application()

    ask_asgi(settings, application, kind="lifespan")

    assert [scope["type"] for scope in application.seen] == ["lifespan"]
    assert calls == []

"""
Third-party code that reads what the policy corrects, as users run it, on gunicorn.

Each is tried with the policy and, to show that the trial can fail, without.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from .behaviour import FORGED, REAL
from .client import Line, Reply, get
from .farm import CLIENT, HOST, Command, Starter
from .fronts import POLICY
from .processes import ANSWER_SECONDS, Address, ProcessManager
from .servers import PYTHON, find_server

OTHER = "203.0.113.8"


def gunicorn(factory: str) -> Command:
    """Make the command for an application of `third_party`."""

    def command(address: Address, folder: Path) -> list[str]:
        return [
            *(PYTHON, "-m", "gunicorn", f"provingground.third_party:{factory}()"),
            *("--no-control-socket", "-b", f"{HOST}:{address[1]}"),
            *("--forwarded-allow-ips", ""),
        ]

    return command


class Site:
    """One application with the policy, and the same without."""

    def __init__(self, start: Starter, factory: str) -> None:
        command = gunicorn(factory)
        self.corrected = start(command)
        self.bare = start(command, policy={})

    def ask(self, path: str, client: str = REAL, **forged: str) -> Reply:
        """Ask as the proxy does for *client*."""
        return get(self.corrected, path, [("X-Forwarded-For", client), *lines(forged)])

    def ask_around(self, path: str, **forged: str) -> Reply:
        """Ask as a client that goes around the proxy."""
        return get(self.corrected, path, lines(forged), source=CLIENT)

    def ask_bare(self, path: str, **forged: str) -> Reply:
        """Ask the application without the policy, around the proxy."""
        return get(self.bare, path, lines(forged), source=CLIENT)


def lines(forged: dict[str, str]) -> list[Line]:
    """Make header lines of keyword arguments."""
    return [(name.replace("_", "-"), value) for name, value in forged.items()]


@pytest.fixture(scope="module")
def starter(manager: ProcessManager) -> Iterator[Starter]:
    """Start servers for the tests of this module."""
    made = Starter(manager)
    yield made
    made.stop()


@pytest.fixture(scope="module")
def django_site(starter: Starter) -> Site:
    """Run the Django project."""
    return Site(starter, "make_django")


@pytest.fixture(scope="module")
def flask_site(starter: Starter) -> Site:
    """Run the Flask application."""
    return Site(starter, "make_flask")


def count_until_refused(replies: Iterator[Reply]) -> int:
    """Count the answers before the first refusal, of at most six requests."""
    for count, reply in enumerate(replies):
        if reply.status in (403, 429):
            return count
        assert reply.status == 200, reply.body[:500]
    return 6


def test_rest_framework_throttles_the_client_whatever_it_forges(
    django_site: Site,
) -> None:
    """Throttling counts clients; a new forged address each time is no new client."""
    forged = (
        django_site.ask_around("/throttled", X_Forwarded_For=f"198.51.100.{i}")
        for i in range(6)
    )
    bare = (
        django_site.ask_bare("/throttled", X_Forwarded_For=f"198.51.100.{i}")
        for i in range(6)
    )

    assert count_until_refused(forged) == 2
    assert count_until_refused(bare) == 6
    assert count_until_refused(django_site.ask("/throttled") for _ in range(6)) == 2
    assert django_site.ask("/throttled", OTHER).status == 200


def test_django_ratelimit_limits_the_client_behind_the_proxy(
    django_site: Site,
) -> None:
    """django-ratelimit's key "ip" is the client, and not the one proxy for all."""
    first = count_until_refused(django_site.ask("/limited") for _ in range(6))

    assert first == 2
    assert django_site.ask("/limited", OTHER).status == 200


def test_django_axes_locks_the_client_out_and_nobody_else(django_site: Site) -> None:
    """django-axes locks out the address that failed, and leaves the others."""
    first = [django_site.ask("/login", "203.0.113.20").status for _ in range(4)]

    assert first[-1] in (403, 429)
    assert django_site.ask("/login", "203.0.113.21").status == 200


@pytest.mark.parametrize(
    "name", ["X-Forwarded-For", "X-Real-IP", "Client-IP", "True-Client-IP", "Forwarded"]
)
def test_ipware_finds_no_forged_synonym(django_site: Site, name: str) -> None:
    """django-ipware tries twenty names; none of them is left but the right one."""
    forged = {name.replace("-", "_"): FORGED}

    around = django_site.ask_around("/ipware", **forged).json()
    through = django_site.ask("/ipware").json()

    assert around["address"] == CLIENT
    assert through["address"] == REAL


def test_ipware_trusts_a_forged_synonym_without_the_policy(django_site: Site) -> None:
    """Without the policy django-ipware takes the forged address."""
    bare = django_site.ask_bare("/ipware", X_Forwarded_For=FORGED).json()

    assert bare["address"] == FORGED


def test_internal_ips_means_the_client(django_site: Site) -> None:
    """INTERNAL_IPS is compared with the client, and nobody can forge to be in it."""
    assert django_site.ask("/internal").json()["internal"] is True
    assert django_site.ask("/internal", OTHER).json()["internal"] is False
    around = django_site.ask_around("/internal", X_Forwarded_For=REAL)
    assert around.json()["internal"] is False


def ask_sentry(address: Address, source: str, *sent: Line) -> dict[str, object]:
    """Let the application fail and return what Sentry's SDK reports of that."""
    get(address, "/fail", sent, source=source)
    return get(address, "/sentry", source=source).json()


@pytest.mark.parametrize("framework", ["django", "flask"])
def test_sentry_needs_the_policy_around_the_application(
    framework: str, start: Starter
) -> None:
    """Sentry's SDK reads the environ before middleware runs, but after a wrapper."""
    inside = start(gunicorn(f"make_{framework}"))
    around = start(gunicorn(f"make_wrapped_{framework}"))
    forged = [("X-Forwarded-For", FORGED), ("X-Real-IP", FORGED)]
    told = [
        ("X-Forwarded-For", REAL),
        ("X-Forwarded-Proto", "https"),
        ("X-Forwarded-Host", "app.test"),
    ]

    assert ask_sentry(inside, CLIENT, *forged)["address"] == FORGED
    assert ask_sentry(inside, HOST, *told)["url"] == "http://app.example/fail"
    direct = ask_sentry(around, CLIENT, *forged)
    assert (direct["address"], direct["header"]) == (CLIENT, None)
    through = ask_sentry(around, HOST, *told)
    assert (through["address"], through["url"]) == (REAL, "https://app.test/fail")


def test_flask_limiter_limits_the_client_behind_the_proxy(flask_site: Site) -> None:
    """Flask-Limiter's get_remote_address is the client, whatever it forges."""
    first = count_until_refused(flask_site.ask("/limited") for _ in range(6))
    around = count_until_refused(
        flask_site.ask_around("/limited", X_Forwarded_For=f"198.51.100.{i}")
        for i in range(6)
    )

    assert (first, around) == (2, 2)
    assert flask_site.ask("/limited", OTHER).status == 200


# What the servers' access logs show.


def ask_echo(address: Address) -> None:
    """Ask the echo for a client behind the proxy."""
    get(
        address, "/logged", [("Proving-Application", "echo"), ("X-Forwarded-For", REAL)]
    )


def find_line(start: Starter) -> str:
    """Find the line of the access log about that request, once it is written."""
    deadline = time.monotonic() + ANSWER_SECONDS
    while time.monotonic() < deadline:
        # A line without its end is still being written.
        for line in start.read_log().splitlines(keepends=True):
            if "/logged" in line and line.endswith("\n"):
                return line.removesuffix("\n")
        time.sleep(0.05)
    return ""


@pytest.mark.parametrize(
    ("name", "options"),
    [("gunicorn-sync", ["--access-logfile", "-"]), ("werkzeug", [])],
)
def test_access_log_of_gunicorn_and_werkzeug_shows_the_client(
    start: Starter, name: str, options: list[str]
) -> None:
    """They log the environ as the application left it: the client."""
    address = start(find_server(name).command, *options)

    ask_echo(address)

    assert find_line(start).startswith(REAL)


def test_access_log_of_uwsgi_shows_the_peer_or_a_variable(start: Starter) -> None:
    """uWSGI logs its own peer; a log variable shows the client."""
    address = start(find_server("uwsgi").command)
    ask_echo(address)
    usual = find_line(start)
    variable = start(find_server("uwsgi").command, "--log-format", "%(client) %(uri)")
    ask_echo(variable)

    assert f" {HOST} " in usual
    assert REAL not in usual
    assert find_line(start) == f"{REAL} /logged"


@pytest.mark.parametrize("name", ["uvicorn-h11", "hypercorn", "granian"])
def test_access_log_of_other_servers_shows_the_peer(start: Starter, name: str) -> None:
    """These servers log their own peer, which is the proxy."""
    options = {
        "uvicorn-h11": ["--log-level", "info"],
        "hypercorn": ["--access-logfile", "-"],
        "granian": ["--access-log", "--log-level", "info"],
    }
    address = start(find_server(name).command, *options[name])

    ask_echo(address)

    line = find_line(start)
    assert HOST in line
    assert REAL not in line


def test_waitress_has_no_access_log(start: Starter) -> None:
    """waitress writes nothing about a request."""
    address = start(find_server("waitress").command, policy=POLICY)

    ask_echo(address)

    assert "/logged" not in start.read_log()

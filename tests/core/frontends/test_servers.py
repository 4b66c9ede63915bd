"""The server's line listens where the front end looks for it, with its switches."""

from __future__ import annotations

import shlex

import pytest

from trustedproxy.exceptions import ConfigurationError
from trustedproxy.frontends import SERVERS, Location, make_command, write_server_line

from .making import make_site

ON_A_SOCKET = "unix:/run/app.sock"
NEEDED = {
    "gunicorn": "--forwarded-allow-ips ''",
    "uwsgi": "--buffer-size 32768",
    "uvicorn": "--no-proxy-headers",
    "hypercorn": "hypercorn",
    "daphne": "daphne",
    "granian": "--interface asgi",
    "waitress": "--no-clear-untrusted-proxy-headers",
    "mod_wsgi": "mod_wsgi-express start-server",
}
# Server → what keeps its unix socket from everybody but the group.
FOR_THE_GROUP = {
    "gunicorn": "--umask 007",
    "uwsgi": "--chmod-socket=660",
    "uvicorn": "# uvicorn opens its socket to everybody",
    "hypercorn": "--umask 7",
    "daphne": ":mode=660",
    "granian": "--uds-permissions 0660",
    "waitress": "--unix-socket-perms=660",
}


@pytest.mark.parametrize("server", SERVERS)
def test_server_listens_at_the_backend_with_what_it_needs(server: str) -> None:
    """Over TCP, with the switch of docs/servers.md."""
    line = write_server_line(server, make_site(backend="[::1]:8001"))

    words = " ".join(shlex.split(line))
    assert "[::1]:8001" in words or ("::1" in words and "8001" in words)
    assert NEEDED[server] in line
    assert "project." in line


def test_server_is_the_one_of_the_site_and_not_of_another_application() -> None:
    """Whichever path is the longer one."""
    other = Location("127.0.0.1:9", "/x")

    for path in ("", "/app"):
        site = make_site(backend="127.0.0.1:8001", path=path, others=[other])
        line = write_server_line("gunicorn", site)

        assert "--bind 127.0.0.1:8001" in line


@pytest.mark.parametrize("server", [name for name in SERVERS if name != "mod_wsgi"])
def test_server_listens_on_a_socket(server: str) -> None:
    """At the path, for the group alone; where no switch does that, a line says so."""
    line = write_server_line(server, make_site(backend=ON_A_SOCKET))

    assert "/run/app.sock" in line
    assert FOR_THE_GROUP[server] in line


def test_daphne_takes_a_path_with_an_equals_sign() -> None:
    """Between the parts of what it listens on, the sign means something."""
    line = write_server_line("daphne", make_site(backend="unix:/run/a=b.sock"))

    assert r"unix:/run/a\=b.sock:mode=660" in line


def test_gunicorn_on_a_socket_reads_a_file_that_ends_its_trust() -> None:
    """No option of the command line does that."""
    command = make_command("gunicorn", make_site(backend=ON_A_SOCKET), "a.b:c")

    [(path, text)] = command.files.items()
    settings: dict[str, object] = {}
    exec(text, settings)
    assert path in command.words
    assert settings["secure_scheme_headers"] == {}
    assert settings["forwarder_headers"] == ""
    assert str(command) == f"# {path}\n{text}\n{shlex.join(command.words)}"
    assert command.words[-1] == "a.b:c"


def test_uvicorn_behind_haproxy_has_another_parser() -> None:
    """HAProxy hands trailer fields on, which httptools takes for headers."""
    behind = write_server_line("uvicorn", make_site(), frontend="HAProxy")

    assert "--http h11" in behind
    assert "--http" not in write_server_line("uvicorn", make_site(), frontend="nginx")


def test_mod_wsgi_refuses_a_socket() -> None:
    """Apache listens on TCP."""
    with pytest.raises(ConfigurationError, match="mod_wsgi"):
        write_server_line("mod_wsgi", make_site(backend=ON_A_SOCKET))


def test_unknown_server_names_the_nearest() -> None:
    """And all that there are."""
    with pytest.raises(ConfigurationError) as refused:
        write_server_line("unicorn", make_site())

    assert refused.value.nearest in ("gunicorn", "uvicorn")


@pytest.mark.parametrize("application", ["app", "a:b;c", "a b:c", "--x:y", "a:b\n"])
def test_application_refuses_what_is_none(application: str) -> None:
    """A module, a colon, a name: no word of a shell's."""
    with pytest.raises(ConfigurationError) as refused:
        write_server_line("gunicorn", make_site(), application)

    assert refused.value.option == "application"

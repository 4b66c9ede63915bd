"""
``trustedproxy config`` and ``convert``: what the engines write, printed or into files.

In:  policies, sites, other tools' configurations.
Out: the engines' own text; files written whole or not at all.
"""

from __future__ import annotations

import os
import stat
import sys
from pathlib import Path

import pytest

from trustedproxy import ProxyPolicy
from trustedproxy.convert import convert_text, write_report, write_settings
from trustedproxy.frontends import FRONTENDS, TLS, Location, Site, write_files
from trustedproxy.frontends.servers import make_command

from .making import TRUSTING, ask

LOCAL = ("--trusted-headers", "X-Forwarded-For,X-Forwarded-Proto", "--proxies=loopback")
POLICY = ProxyPolicy(
    headers=["X-Forwarded-For", "X-Forwarded-Proto"], proxies=["loopback"]
)
SECRET = "hush-hush-hush-hush"
PROXY_FIX = "app.wsgi_app = ProxyFix(app.wsgi_app, x_for=1, x_proto=1)\n"


def join(files: dict[str, str]) -> str:
    """Join files as they are printed, each below its place."""
    return "\n".join(f"# {path}\n{text}" for path, text in files.items())


# -- config ----------------------------------------------------------------------------


@pytest.mark.parametrize("frontend", FRONTENDS)
def test_config_is_what_the_generator_writes(frontend: str) -> None:
    """For the policy in force, in every front end's words."""
    container = frontend in ("traefik-labels", "ingress-nginx")
    backend = "app:8000" if container else "127.0.0.1:8000"
    site = Site(backend=backend, server_names=["www.example.com"])

    result = ask(
        "config",
        frontend,
        *LOCAL,
        "--server-name=www.example.com",
        f"--backend={backend}",
    )

    assert result.status == 0
    assert result.output == join(write_files(frontend, POLICY, site))


def test_config_of_everything_that_can_be_asked_for() -> None:
    """Every option reaches the generator."""
    words = [
        "--trusted-headers=X-Forwarded-For,X-Forwarded-Proto,X-Forwarded-Prefix",
        "--proxies=loopback,10.0.0.5",
        "--set=strip-mount-point=yes",
        "--backend=127.0.0.1:8001",
        "--path=/app",
        "--keep-path",
        "--also=/blog=127.0.0.1:8002",
        "--name=shop",
        "--server-name=www.example.com",
        "--server-name=example.com",
        "--listen=127.0.0.1",
        "--no-http",
        "--https-port=8443",
        "--certificate=/etc/ssl/a.crt",
        "--key=/etc/ssl/a.key",
        "--hsts=max-age=60",
        "--websockets",
        "--behind=10.0.0.5",
        "--outer-header=X-Forwarded-For",
        "--access-log=/var/log/shop.log",
    ]
    policy = ProxyPolicy(
        headers=["X-Forwarded-For", "X-Forwarded-Proto", "X-Forwarded-Prefix"],
        proxies=["loopback", "10.0.0.5"],
        strip_mount_point=True,
    )
    site = Site(
        backend="127.0.0.1:8001",
        path="/app",
        strip_path=False,
        others=[Location("127.0.0.1:8002", "/blog")],
        name="shop",
        server_names=["www.example.com", "example.com"],
        address="127.0.0.1",
        http_port=None,
        https_port=8443,
        tls=TLS("/etc/ssl/a.crt", "/etc/ssl/a.key"),
        hsts="max-age=60",
        websockets=True,
        behind=["10.0.0.5"],
        outer_headers=["X-Forwarded-For"],
        access_log="/var/log/shop.log",
    )

    result = ask("config", "nginx", *words)

    assert result.errors == ""
    assert result.output == join(write_files("nginx", policy, site))


def test_config_with_one_file_for_certificate_and_key() -> None:
    """As HAProxy wants it, and others take it."""
    result = ask("config", "nginx", *LOCAL, "--certificate=/etc/ssl/a.pem")

    assert "ssl_certificate_key /etc/ssl/a.pem;" in result.output


def test_config_with_the_servers_line() -> None:
    """With the switches that it needs behind this front end."""
    result = ask(
        "config", "haproxy", *LOCAL, "--server=uvicorn", "--application=shop.asgi:app"
    )

    command = make_command(
        "uvicorn", Site(backend="127.0.0.1:8000"), "shop.asgi:app", frontend="haproxy"
    )
    assert result.output.endswith(f"\n# the server\n{command}\n")


def test_config_as_json() -> None:
    """Files by their places, and the server's words."""
    result = ask("config", "traefik", *LOCAL, "--server=gunicorn", "--json")
    alone = ask("config", "traefik", *LOCAL, "--json")

    site = Site(backend="127.0.0.1:8000")
    said = result.json
    assert said["frontend"] == "traefik"
    assert said["files"] == write_files("traefik", POLICY, site)
    assert said["server"]["words"][0] == "gunicorn"
    assert said["server"]["files"] == {}
    assert said["server"]["note"] == ""
    assert alone.json["server"] is None


@pytest.mark.parametrize("frontend", ["nginx", "haproxy"])
def test_config_on_a_terminal(frontend: str) -> None:
    """In colour, where its language is known."""
    result = ask("config", frontend, *LOCAL, terminal=True)

    assert "proxy" in result.output or "backend" in result.output
    assert "\x1b[" in result.output


def test_config_of_no_policy_says_so() -> None:
    """A configuration that sets nothing is seldom what was wanted."""
    result = ask("config", "nginx")

    assert result.status == 0
    assert result.errors.startswith("No header is trusted, so that none is set")


def test_config_sends_the_secret_of_the_policy() -> None:
    """Without it every request would be a direct one."""
    result = ask(
        "config",
        "nginx",
        "--trusted-headers=X-Real-IP",
        "--set=secret-header=X-Edge",
        f"--set=secrets={SECRET}",
    )

    assert SECRET in result.output


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (["--key=/a.key"], "--key belongs to --certificate: give that, too."),
        (["--also=/blog"], "--also: '/blog' is not PATH=WHERE"),
        (["--server=gunicron"], "(the nearest is 'gunicorn')"),
        (["--also=/blog=x"], "Error: --also: 'x' is not HOST:PORT"),
        (["--also=b=x:1"], "Error: --also: 'b' is not a URL path"),
        (["--also=/b=x:1", "--also=/b/=y:1"], "Error: --also: '/b' is not one"),
        (["--path=/b", "--also=/b=x:1"], "Error: --also: '/b' is not one"),
        (["--also=/b$=x:1"], "Error: --also: '/b$' is not possible with nginx"),
        (["--path=/b$", "--also=/b=x:1"], "Error: --path: '/b$' is not possible"),
        (["--backend=nowhere"], "Error: --backend: 'nowhere' is not HOST:PORT"),
        (["--no-http"], "Error: --no-http needs --certificate"),
        (["--http-port=0"], "Error: --http-port: 0 is not a port"),
        (["--listen=here"], "Error: --listen: 'here' is not an IP address."),
        (["--server-name=a b"], "Error: --server-name: 'a b' is not a host name"),
        (["--hsts=max-age=1"], "speaks no TLS: give --certificate."),
        (["--outer-header=X-Real-IP"], "Error: --outer-header: ('X-Real-IP',) is not "),
        (["--outer-header=X-Real-IP"], "possible without --behind."),
        (["--set=hops=2"], "in front of this one, with --behind."),
        (
            ["--set=secret-header=X-Edge", f"--set=secrets={SECRET}$"],
            "Error: TRUSTED_PROXY_SECRETS: '(the secret)' is not possible with nginx",
        ),
        (["--http-port=x"], "Invalid value for '--http-port'"),
        (["--output=/no/such/folder/x"], "/no/such/folder/x cannot be written"),
    ],
)
def test_config_that_cannot_be(words: list[str], expected: str) -> None:
    """Exit status 2, and nothing printed."""
    result = ask("config", "nginx", *LOCAL, *words)

    assert (result.status, result.output) == (2, "")
    assert expected in " ".join(result.errors.split())


def test_front_end_that_speaks_no_tls_names_the_certificate() -> None:
    """As it was typed."""
    result = ask("config", "varnish", *LOCAL, "--certificate=/a.crt", "--key=/a.key")

    assert result.status == 2
    assert "Error: --certificate: '/a.crt' is not possible with Var" in result.errors


def test_config_into_a_file(tmp_path: Path) -> None:
    """Whole, with the rights of a file that servers read."""
    path = tmp_path / "app.conf"

    result = ask("config", "nginx", *LOCAL, "-o", str(path))

    (text,) = write_files("nginx", POLICY, Site(backend="127.0.0.1:8000")).values()
    assert result.output == f"{path} was written.\n"
    assert path.read_text() == text
    assert stat.S_IMODE(path.stat().st_mode) == 0o644
    assert os.listdir(tmp_path) == ["app.conf"]


def test_config_into_a_file_leaves_the_server_to_be_started(tmp_path: Path) -> None:
    """Its line, and the file that it reads, are printed as without ``-o``."""
    words = (
        *("--set=proxies=loopback,unix", "--trusted-headers=X-Real-IP"),
        *("--backend=unix:/run/app.sock", "--server=gunicorn"),
    )
    path = tmp_path / "app.conf"

    printed = ask("config", "nginx", *words)
    written = ask("config", "nginx", *words, "-o", str(path))
    said = ask("config", "nginx", *words, "-o", str(path), "--json").json

    server = printed.output[printed.output.index("# the server") :]
    assert "gunicorn.conf.py" in server
    assert written.output == f"{path} was written.\n{server}"
    assert said["server"]["words"][0] == "gunicorn"
    assert list(said["server"]["files"]) == ["gunicorn.conf.py"]


def test_config_with_a_secret_into_a_file(tmp_path: Path) -> None:
    """It is for its owner alone."""
    path = tmp_path / "app.conf"

    result = ask(
        "config",
        "nginx",
        "--trusted-headers=X-Real-IP",
        "--set=secret-header=X-Edge",
        f"--set=secrets={SECRET}",
        "--output",
        str(path),
    )

    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert result.errors == ""


@pytest.mark.parametrize("secret", [True, False])
def test_secret_in_a_file_that_others_can_read_is_said(
    tmp_path: Path, secret: bool
) -> None:
    """A file that is there keeps its mode."""
    path = tmp_path / "app.conf"
    path.write_text("")
    path.chmod(0o644)
    words = (f"--set=secrets={SECRET}", "--set=secret-header=X-Edge") if secret else ()

    result = ask("config", "nginx", *LOCAL, *words, "-o", str(path))

    assert stat.S_IMODE(path.stat().st_mode) == 0o644
    assert ("others can read it" in result.errors) == secret
    assert SECRET not in result.errors


def test_file_without_the_secret_is_not_said_to_hold_it(tmp_path: Path) -> None:
    """Of several, one has it, spelled as the front end spells it."""
    secret = f'{SECRET}"\\'
    words = (f"--set=secrets={secret}", "--set=secret-header=X-Edge")
    asked = ("config", "traefik", *LOCAL, *words, "-o", str(tmp_path))
    paths = [Path(path) for path in ask(*asked, "--json").json["written"]]
    for path in paths:
        path.chmod(0o644)

    result = ask(*asked)

    holders = [path for path in paths if SECRET in path.read_text()]
    assert len(holders) == 1 < len(paths)
    assert secret not in holders[0].read_text()
    assert f"{holders[0]} holds the secret" in result.errors
    assert result.errors.count("holds the secret") == 1


@pytest.mark.parametrize("frontend", ["nginx", "traefik"])
def test_config_into_a_folder(frontend: str, tmp_path: Path) -> None:
    """Each file at its own place below it."""
    result = ask("config", frontend, *LOCAL, "--output", str(tmp_path), "--json")

    files = write_files(frontend, POLICY, Site(backend="127.0.0.1:8000"))
    assert result.json == {
        "frontend": frontend,
        "written": [f"{tmp_path}{path}" for path in files],
        "server": None,
    }
    for path, text in files.items():
        assert Path(f"{tmp_path}{path}").read_text() == text


def test_config_into_a_folder_that_cannot_be_made(tmp_path: Path) -> None:
    """A file stands where the folder would be."""
    (tmp_path / "etc").write_text("")

    result = ask("config", "traefik", *LOCAL, "--output", str(tmp_path))

    assert result.status == 2
    assert f"{tmp_path}/etc/traefik cannot be made: Not a directory" in result.errors


def test_link_is_followed_and_stays(tmp_path: Path) -> None:
    """What it leads to is replaced."""
    real = tmp_path / "real.conf"
    real.write_text("old")
    link = tmp_path / "app.conf"
    link.symlink_to(real)

    ask("config", "nginx", *LOCAL, "--output", str(link))

    assert link.is_symlink()
    assert real.read_text().startswith("# app:")


def test_file_that_cannot_be_replaced_stays(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing half written is left behind."""
    path = tmp_path / "app.conf"
    path.write_text("old")

    def fail(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "replace", fail)

    result = ask("config", "nginx", *LOCAL, "--output", str(path))

    assert result.status == 2
    assert "No space left on device" in result.errors
    assert path.read_text() == "old"
    assert os.listdir(tmp_path) == ["app.conf"]


@pytest.mark.skipif(
    not hasattr(os, "mkfifo"), reason="this system has no named pipes to write to"
)
@pytest.mark.parametrize("linked", [True, False])
def test_pipe_is_not_replaced(tmp_path: Path, linked: bool) -> None:
    """Nor is a device: a file would stand in its place."""
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    path = tmp_path / "link" if linked else pipe
    if linked:
        path.symlink_to(pipe)

    result = ask("config", "nginx", *LOCAL, "--output", str(path))

    assert result.status == 2
    assert f"{path} cannot be written: it is no regular file" in result.errors
    assert pipe.is_fifo()


# -- convert ---------------------------------------------------------------------------


@pytest.mark.parametrize("target", ["django", "flask", "environment"])
def test_convert_prints_the_report(target: str, tmp_path: Path) -> None:
    """Settings, and what is to be said about them as comments."""
    path = tmp_path / "app.py"
    path.write_text(PROXY_FIX)

    result = ask("convert", "--to", target, str(path))

    conversion = convert_text(PROXY_FIX)
    assert result.status == 0
    assert result.output == write_report(conversion, target)


@pytest.mark.parametrize("words", [[], ["-"]])
def test_convert_reads_standard_input(words: list[str], stdin: Path) -> None:
    """As in ``nginx -T | trustedproxy convert``."""
    stdin.write_text(PROXY_FIX)

    result = ask("convert", "--bare", "--from=proxyfix", "--proxies=loopback", *words)

    conversion = convert_text(PROXY_FIX, "proxyfix", proxies="loopback")
    assert result.output == write_settings(conversion, "django")


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (b"A = 1\n\xff\xfe", "standard input, line 2: "),
        (b"#" * 4_000_001, "standard input: 4000001 is not at most 4000000 bytes"),
    ],
)
def test_convert_of_what_is_no_text(stdin: Path, content: bytes, expected: str) -> None:
    """It is said where, as of a file, whatever the environment's encoding is."""
    stdin.write_bytes(content)

    result = ask("convert")

    assert (result.status, result.output) == (2, "")
    assert expected in result.errors


def test_convert_of_closed_standard_input(monkeypatch: pytest.MonkeyPatch) -> None:
    """It is empty: Python has none then."""
    monkeypatch.setattr(sys, "stdin", None)

    result = ask("convert")

    assert result.status == 2
    assert "is not a configuration that is known here" in result.errors


def test_convert_as_json(stdin: Path) -> None:
    """What was read, the settings, the notes, the text."""
    stdin.write_text(PROXY_FIX)

    said = ask("convert", "--json").json

    conversion = convert_text(PROXY_FIX)
    text = write_report(conversion, "django")
    assert said == {**conversion.as_dict(), "target": "django", "text": text}


def test_convert_on_a_terminal(stdin: Path) -> None:
    """In colour."""
    stdin.write_text(PROXY_FIX)

    result = ask("convert", terminal=True)

    assert "\x1b[" in result.output


def test_convert_into_a_file(tmp_path: Path, stdin: Path) -> None:
    """Whole or not at all."""
    stdin.write_text(PROXY_FIX)
    path = tmp_path / "settings.py"

    result = ask("convert", "-o", str(path))

    assert (result.output, result.errors) == ("", f"{path} was written.\n")
    assert path.read_text() == write_report(convert_text(PROXY_FIX), "django")


def test_convert_into_a_file_as_json(tmp_path: Path, stdin: Path) -> None:
    """The path in place of the text, as of ``config``."""
    stdin.write_text(PROXY_FIX)
    path = tmp_path / "settings.py"

    result = ask("convert", "-o", str(path), "--json")

    expected = {"target": "django", "written": [str(path)]}
    assert result.json == {**convert_text(PROXY_FIX).as_dict(), **expected}
    assert result.errors == ""
    assert path.read_text() == write_report(convert_text(PROXY_FIX), "django")


@pytest.mark.parametrize(
    ("words", "status"),
    [((), 0), (("--strict",), 1), (("--strict", "--proxies=loopback"), 1)],
)
def test_convert_with_work_left_to_do(
    words: tuple[str, ...], status: int, stdin: Path
) -> None:
    """That is a finding for who asks for it."""
    stdin.write_text(PROXY_FIX)

    assert ask("convert", *words).status == status


@pytest.mark.parametrize(
    ("words", "text", "expected"),
    [
        ([], "nothing of this kind", "is not a configuration that is known here"),
        (["--from=proxyfx"], PROXY_FIX, "(the nearest is 'proxyfix')"),
        (["--to=djagno"], PROXY_FIX, "(the nearest is 'django')"),
        (["/no/such/file"], "", "/no/such/file"),
    ],
)
def test_convert_of_nothing(
    words: list[str], text: str, expected: str, stdin: Path
) -> None:
    """Exit status 2, and the nearest of what was meant."""
    stdin.write_text(text)

    result = ask("convert", *words)

    assert (result.status, result.output) == (2, "")
    assert expected in " ".join(result.errors.split())


def test_policy_is_not_that_of_somebody_else() -> None:
    """The words of one call are not there in the next."""
    first = ask("config", "nginx", *TRUSTING, "--backend", "app:8000")
    second = ask("config", "nginx", "--backend", "app:8000")

    assert "proxy_set_header X-Forwarded-Proto $scheme" in first.output
    assert "proxy_set_header X-Forwarded-Proto $scheme" not in second.output

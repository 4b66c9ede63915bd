"""Every front end writes the same plan, and names what it cannot do."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

import pytest

from trustedproxy import Category, Form, ProxyHeader
from trustedproxy.exceptions import ConfigurationError
from trustedproxy.frontends import (
    FRONTENDS,
    TLS,
    Location,
    find_frontend,
    write_config,
    write_files,
)
from trustedproxy.frontends.frontend import escape_regex, indent
from trustedproxy.frontends.plan import make_plan
from trustedproxy.frontends.yaml_text import write_yaml

from .making import ALL, BASIC, CERTIFICATE, SECRET, make_policy, make_site

CONTAINERS = ("ingress-nginx", "traefik-labels")
NAMES = tuple(FRONTENDS)
PROCESSES = tuple(name for name in NAMES if name not in CONTAINERS)


def write(name: str, policy: Any = None, **said: Any) -> str:
    """Write a configuration, for a service where the front end is a container."""
    backend = "app:8000" if name in CONTAINERS else "127.0.0.1:8000"
    return write_config(
        name, policy or make_policy(), make_site(**{"backend": backend, **said})
    )


@pytest.mark.parametrize("name", NAMES)
def test_configuration_names_every_header_that_it_sets_or_removes(name: str) -> None:
    """Each known one: those that are trusted, and the others."""
    plan = make_plan(make_policy(), make_site(path="/app"))

    text = write(name, path="/app").lower()

    # Caddy and Traefik set these by themselves, ingress-nginx more of them.
    own = {"x-forwarded-for", "x-forwarded-host"} if name != "nginx" else set()
    if name == "ingress-nginx":
        own |= {"x-real-ip", "x-forwarded-port", "x-forwarded-proto", "x-scheme"}
        own |= {"x-forwarded-scheme", "x-original-forwarded-for"}
    if name == "caddy":
        own.add("x-forwarded-proto")
    named = [*plan.removed, *(n for n in plan.forwarding)]
    missing = [n for n in named if n.lower() not in own and n.lower() not in text]
    assert missing == []


@pytest.mark.parametrize("name", NAMES)
def test_configuration_is_plain_text_with_a_line_end(name: str) -> None:
    """Without control characters or blanks at an end of line."""
    text = write(name, path="/app")

    assert text.endswith("\n")
    assert not re.search(r"[\x00-\x08\x0b-\x1f\x7f]| \n", text)
    assert text.startswith("# ")


@pytest.mark.parametrize("name", ["NGINX", "Traefik-Labels"])
def test_front_end_is_found_in_any_case(name: str) -> None:
    """As a person would type it."""
    assert find_frontend(name).name == name.lower()


@pytest.mark.parametrize(
    ("typed", "nearest"), [("ngnix", "nginx"), ("apache2", "apache"), ("iis", None)]
)
def test_unknown_front_end_names_the_nearest(typed: str, nearest: str | None) -> None:
    """And all that there are."""
    with pytest.raises(ConfigurationError) as refused:
        write(typed)

    assert refused.value.nearest == nearest
    assert all(name in str(refused.value) for name in FRONTENDS)


def test_files_are_apart_and_a_text_has_them_all() -> None:
    """Traefik needs two."""
    files = write_files("traefik", make_policy(), make_site())

    text = write_config("traefik", make_policy(), make_site())

    assert len(files) == 2
    assert all(f"# {path}\n{body}" in text for path, body in files.items())


FORWARDED = make_policy("Forwarded", "X-Script-Name")
CUSTOM = ProxyHeader("X-Edge-Client", Category.CLIENT, Form.ADDRESS)
CHAIN = ProxyHeader("X-Chain", Category.CLIENT, Form.ADDRESS_LIST)
MANY = make_policy(*ALL, "X-HTTPS", "CloudFront-Viewer-Address", CUSTOM)
EVERYTHING: Mapping[str, tuple[Any, Mapping[str, Any]]] = {
    "root": (None, {}),
    "nothing is trusted": (make_policy(headers=()), {}),
    "below": (None, {"path": "/a.b", "websockets": True}),
    "left in": (
        make_policy(strip_mount_point=True),
        {"path": "/app", "strip_path": False},
    ),
    "left in, inner": (
        make_policy(strip_mount_point=True),
        {"path": "/app", "strip_path": False, "behind": "10.0.0.5"},
    ),
    "secure": (None, {"tls": CERTIFICATE, "hsts": "max-age=1", "websockets": True}),
    "secure alone": (None, {"tls": CERTIFICATE, "http_port": None}),
    "every name": (None, {"server_names": ()}),
    "two names": (None, {"server_names": "a.example b.example"}),
    "socket": (None, {"backend": "unix:/run/app.sock", "path": "/app"}),
    "socket at the root": (None, {"backend": "unix:/run/app.sock"}),
    "an address": (None, {"address": "127.0.0.1", "http_port": 8080}),
    "an IPv6 address": (None, {"address": "::1", "http_port": 8080}),
    "both families": (None, {"address": "::", "http_port": 8080}),
    "another port": (None, {"http_port": 8080}),
    "inner": (None, {"behind": "10.0.0.5 loopback", "websockets": True}),
    "inner, below": (None, {"behind": "10.0.0.5", "path": "/app"}),
    "inner of a CDN": (
        make_policy(*BASIC, CUSTOM),
        {"behind": "10.0.0.5", "outer_headers": "X-Edge-Client"},
    ),
    "inner of half": (None, {"behind": "10.0.0.5", "outer_headers": BASIC}),
    "Forwarded": (FORWARDED, {"path": "/app", "tls": CERTIFICATE}),
    "Forwarded, inner": (FORWARDED, {"behind": "10.0.0.5", "path": "/app"}),
    "many": (MANY, {"tls": CERTIFICATE}),
    "another list": (make_policy("X-Original-Forwarded-For"), {"behind": "10.0.0.5"}),
    "a custom list": (make_policy(CHAIN), {"behind": "10.0.0.5"}),
    "a flag, inner of a CDN": (
        make_policy(*BASIC, "X-Forwarded-SSL"),
        {"behind": "10.0.0.5", "outer_headers": BASIC},
    ),
    "secret": (
        make_policy(*BASIC, secret_header="X-Proof", secrets=[SECRET]),
        {"secret": SECRET},
    ),
    "log": (
        make_policy(*BASIC, "X-Forwarded-Prefix"),
        {"access_log": "/var/log/a.log", "behind": "10.0.0.5", "tls": CERTIFICATE},
    ),
    "several": (
        None,
        {"others": [Location("app-2:8001", "/two"), Location("app-3:8002", "/three")]},
    ),
    "a name of a server": (None, {"backend": "app:8000"}),
}

# What each cannot do; everything else it can.
_TLS = {"secure", "secure alone", "Forwarded", "many", "log"}
CANNOT: Mapping[str, set[str]] = {
    "nginx": set(),
    "apache": set(),
    "haproxy": {"log"},
    "caddy": {"log"},
    "envoy": {"log"},
    "varnish": _TLS,
    "traefik": {
        *("socket", "socket at the root", "inner, below", "Forwarded"),
        *("Forwarded, inner", "many", "another list", "log", "inner of half"),
        "a custom list",
    },
    "lighttpd": {
        *("inner, below", "Forwarded", "Forwarded, inner", "many", "another list"),
        *("log", "inner of a CDN", "inner of half", "a custom list"),
    },
    "traefik-labels": {
        *("socket", "socket at the root", "inner, below", "Forwarded"),
        *("Forwarded, inner", "many", "another list", "log", "inner of half"),
        "a custom list",
    },
    "ingress-nginx": {
        *("socket", "socket at the root", "an address", "an IPv6 address"),
        *("both families", "another port", "inner, below", "inner of a CDN"),
        *("inner of half", "Forwarded", "Forwarded, inner", "another list", "log"),
        *("many", "a flag, inner of a CDN", "secure alone"),
    },
}


@pytest.mark.parametrize("case", EVERYTHING)
@pytest.mark.parametrize("name", NAMES)
def test_front_end_does_it_or_names_what_it_cannot_do(name: str, case: str) -> None:
    """A configuration, or an error that names the front end."""
    policy, said = EVERYTHING[case]

    if case not in CANNOT[name]:
        text = write(name, policy, **said)

        assert "None" not in text
    else:
        with pytest.raises(ConfigurationError) as refused:
            write(name, policy, **said)

        title = FRONTENDS[name].title.split(" ")[0].removesuffix("'s")
        assert title in str(refused.value) or "controller" in str(refused.value)


# Texts that are syntax in some configuration, where a path may hold them at all.
@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("sign", "$*!+=:@")
def test_path_with_an_odd_character_is_quoted_or_refused(name: str, sign: str) -> None:
    """It is said as it is, or not at all."""
    path = f"/a{sign}b"

    try:
        text = write(name, path=path)
    except ConfigurationError as refused:
        assert refused.option == "path"
        assert sign in FRONTENDS[name].unsayable
    else:
        assert path in text


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("sign", list("$'\"\\%{}`#;*&<>|!"))
def test_secret_with_an_odd_character_is_quoted_or_refused(
    name: str, sign: str
) -> None:
    """An error about it does not show it."""
    secret = f"{SECRET}{sign}{{x"
    policy = make_policy(*BASIC, secret_header="X-Proof", secrets=[secret])

    try:
        text = write(name, policy, secret=secret)
    except ConfigurationError as refused:
        assert refused.option == "secret"
        assert SECRET not in str(refused)
    else:
        assert SECRET in text


@pytest.mark.parametrize("name", [n for n in PROCESSES if n != "varnish"])
@pytest.mark.parametrize("value", ["a$b", "a'b", "a`b", "a*b", "a%b", '"a;b"'])
def test_hsts_with_an_odd_character_is_quoted_or_refused(name: str, value: str) -> None:
    """RFC 6797 allows them in a directive that nobody knows."""
    hsts = f"max-age=1; x={value}"

    try:
        text = write(name, tls=CERTIFICATE, hsts=hsts)
    except ConfigurationError as refused:
        assert refused.option == "hsts"
        assert set(value) & set(FRONTENDS[name].unsayable)
    else:
        assert not set(value) & set(FRONTENDS[name].unsayable)
        spelled = value.replace('"', '\\"')
        assert spelled in text or value in text or value.replace("%", "%%") in text


@pytest.mark.parametrize("name", ["apache", "haproxy", "envoy"])
def test_percent_sign_is_doubled_where_it_begins_a_variable(name: str) -> None:
    """The header has one of them."""
    assert "x=a%%b" in write(name, tls=CERTIFICATE, hsts="max-age=1; x=a%b")


@pytest.mark.parametrize(
    ("certificate", "key", "extra"),
    [
        ("/a.crt", "/a.key", True),
        ("/a.pem", "/a.pem.key", False),
        ("/both.pem", "/both.pem", False),
    ],
)
def test_haproxy_finds_the_key_beside_the_certificate(
    certificate: str, key: str, extra: bool
) -> None:
    """In one file, or by its name."""
    text = write("haproxy", tls=TLS(certificate, key))

    assert f"ssl crt {certificate}\n" in text
    assert ("ssl-load-extra-del-ext" in text) is extra


@pytest.mark.parametrize("name", ["server", "remote", "sent-http", "http", "main"])
def test_names_of_nginx_are_left_to_nginx(name: str) -> None:
    """Whatever the site is called, its variables and formats have a beginning."""
    policy = make_policy(*BASIC, "X-Forwarded-SSL", "X-Real-IP")

    site = make_site(
        name=name,
        tls=CERTIFICATE,
        hsts="max-age=1",
        websockets=True,
        access_log="/var/log/a.log",
    )
    text = write_config("nginx", policy, site)

    made = re.findall(r"^(?:map \S+ \$|log_format )(\w+)", text, re.MULTILINE)
    assert len(made) == 6
    assert all(each.startswith("tp_") for each in made)


def test_names_of_one_site_of_nginx_are_no_other_sites() -> None:
    """A site called as another one's application is: they are read together."""
    log = "/var/log/a.log"
    sites = [
        make_site(name="app", others=[Location("a:1", "/x")], access_log=log),
        make_site(name="app-x", access_log=log),
        make_site(name="app--x", access_log=log),
    ]

    text = "".join(write_config("nginx", make_policy("Forwarded"), s) for s in sites)

    made = re.findall(r"^(?:map \S+|log_format) (\S+)", text, re.MULTILINE)
    assert len(set(made)) == len(made)
    used = set(re.findall(r"access_log \S+ (tp_\S+);", text))
    assert used == {"tp_app", "tp_app_x", "tp_app-x", "tp_app--x"} <= set(made)


def test_haproxy_refuses_a_key_that_it_would_not_find() -> None:
    """And says what to name it."""
    with pytest.raises(ConfigurationError) as refused:
        write("haproxy", tls=TLS("/a.pem", "/b.key"))

    assert "/a.pem.key" in str(refused.value)


def test_traefik_trusts_outer_proxies_for_all_of_its_own_or_for_none() -> None:
    """Half of them is refused; other headers may come from outside."""
    half = {"behind": "10.0.0.5", "outer_headers": "X-Forwarded-Proto"}
    with pytest.raises(ConfigurationError) as refused:
        write("traefik", make_policy(*BASIC), **half)

    assert refused.value.option == "outer_headers"
    custom = make_policy("X-Forwarded-For", "X-Url-Scheme")
    text = write("traefik", custom, behind="10.0.0.5", outer_headers="X-Url-Scheme")
    assert "trustedIPs" not in text


def test_ingress_refuses_what_its_controller_does_by_itself() -> None:
    """A header that it hands on, another mount-point header, an address."""
    for policy, said in (
        (make_policy("X-Script-Name"), {"path": "/app"}),
        (make_policy("X-Original-Forwarded-For"), {}),
        (make_policy(), {"backend": "10.0.0.9:8000"}),
    ):
        with pytest.raises(ConfigurationError):
            write("ingress-nginx", policy, **said)


def test_ingress_says_its_hsts_policy_in_parts() -> None:
    """And that there is none, since it has one by itself."""
    policy = "max-age=63072000; includeSubDomains; preload"

    text = write("ingress-nginx", tls=CERTIFICATE, hsts=policy)

    assert 'hsts-max-age: "63072000"' in text
    assert 'hsts-preload: "true"' in text
    assert 'hsts: "false"' in write("ingress-nginx")


@pytest.mark.parametrize(("name", "reads"), [("caddy", True), ("envoy", False)])
def test_log_of_a_front_end_that_is_read_all_the_same_is_said(
    name: str, *, reads: bool
) -> None:
    """Two have formats of their own that explain knows."""
    with pytest.raises(ConfigurationError) as refused:
        write(name, access_log="/var/log/a.log")

    assert ("explain reads it" in str(refused.value)) == reads


def test_texts_are_escaped_for_regular_expressions() -> None:
    """Without backslashes, which are syntax in half of the configurations."""
    assert escape_regex("/a.b+c$d*e-f") == "/a[.]b[+]c[$]d[*]e-f"


def test_empty_lines_are_not_indented() -> None:
    """No blanks at the end of a line."""
    assert indent(["a", "", "b"]) == ["    a", "", "    b"]


def test_yaml_is_blocks_and_short_lines() -> None:
    """What fits on a line is JSON, and every text is quoted."""
    tree = {
        "@type": "a: b",
        "short": {"a": [1, True]},
        "long": {"text": "x" * 100, "list": ["y" * 60, "z" * 60]},
        "rows": [{"a": "x" * 70, "b": "y" * 70}, {"c": 1}],
    }

    assert write_yaml(tree) == [
        '"@type": "a: b"',
        'short: {"a": [1, true]}',
        "long:",
        f'  text: "{"x" * 100}"',
        "  list:",
        f'    - "{"y" * 60}"',
        f'    - "{"z" * 60}"',
        "rows:",
        f'  - a: "{"x" * 70}"',
        f'    b: "{"y" * 70}"',
        '  - {"c": 1}',
    ]

"""
What each kind of source becomes: settings, and the codes of the notes.

In:  a text, as people have it.
Out: exactly these settings; the notes that belong to it, and those that do not.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import pytest

from trustedproxy import ConfigurationError
from trustedproxy.convert import KINDS, convert_text

FOR, PROTO = "X-Forwarded-For", "X-Forwarded-Proto"
HOST, PORT, PREFIX = "X-Forwarded-Host", "X-Forwarded-Port", "X-Forwarded-Prefix"


@dataclass(frozen=True, slots=True)
class Row:
    """One text, and what becomes of it; names without their common beginning."""

    kind: str
    text: str
    settings: Mapping[str, Any] = field(default_factory=dict)
    codes: str = ""
    #: Codes that must not be there.
    without: str = ""


def setting(name: str) -> str:
    """Write a setting's name out."""
    return "TRUSTED_PROXIES" if name == "PROXIES" else f"TRUSTED_PROXY_{name}"


PROXY_FIX = {
    "the defaults count the client and the scheme": Row(
        "proxyfix",
        "app.wsgi_app = ProxyFix(app.wsgi_app)",
        {"HEADERS": [FOR, PROTO], "HOPS": 1},
        "remove-proxyfix add-networks bare-address malformed",
        "uneven-counts fewer-elements server-name port-in-host",
    ),
    "every argument": Row(
        "proxyfix",
        "ProxyFix(app, x_for=1, x_proto=1, x_host=1, x_port=1, x_prefix=1)",
        {
            "HEADERS": [FOR, PROTO, HOST, PORT, PREFIX],
            "HOPS": 1,
            "PORT_IN_HOST": True,
        },
        "server-name port-in-host mount-point-form",
    ),
    "arguments by position": Row(
        "proxyfix", "ProxyFix(app, 2, 2, 2)", {"HEADERS": [FOR, PROTO, HOST], "HOPS": 2}
    ),
    "counts that differ": Row(
        "proxyfix",
        "ProxyFix(app, x_for=2, x_proto=1)",
        {"HEADERS": [FOR, PROTO], "HOPS": 2},
        "uneven-counts fewer-elements",
    ),
    "no client": Row(
        "proxyfix",
        "ProxyFix(app, x_for=0, x_host=2)",
        {"HEADERS": [PROTO, HOST], "HOPS": 1},
        "uneven-counts",
        "bare-address",
    ),
    "nothing counted": Row("proxyfix", "ProxyFix(app, x_for=0, x_proto=0)"),
    "the argument of former versions": Row(
        "proxyfix",
        "ProxyFix(app, num_proxies=2, x_proto=0)",
        {"HEADERS": [FOR], "HOPS": 2},
        "num-proxies",
    ),
    "the arguments alone": Row(
        "proxyfix", "x_for=1, x_proto=0", {"HEADERS": [FOR], "HOPS": 1}
    ),
    "a name of its own": Row(
        "proxyfix",
        "from werkzeug.middleware.proxy_fix import ProxyFix as Fix\napp = Fix(app)",
        {"HEADERS": [FOR, PROTO], "HOPS": 1},
    ),
    "handed over with its options": Row(
        "proxyfix",
        "app.add_middleware(ProxyFix, x_for=2, x_proto=2)",
        {"HEADERS": [FOR, PROTO], "HOPS": 2},
    ),
    "numbers with names": Row(
        "proxyfix",
        "PROXIES = 1\nEXTRA = PROXIES + 1\nProxyFix(app, x_for=EXTRA, x_proto=EXTRA)",
        {"HEADERS": [FOR, PROTO], "HOPS": 2},
    ),
}

UVICORN = {
    "the defaults": Row(
        "uvicorn",
        "uvicorn app:app --host 0.0.0.0",
        {"HEADERS": [FOR, PROTO], "PROXIES": ["127.0.0.1", "::1"]},
        "switch-uvicorn mapped scheme-list malformed",
        "everybody literal",
    ),
    "everybody": Row(
        "uvicorn",
        "uvicorn app:app --forwarded-allow-ips='*' --uds /run/app.sock",
        {"HEADERS": [FOR, PROTO], "PROXIES": "*"},
        "everybody",
        "unix-never-trusted",
    ),
    "networks, and what is none": Row(
        "uvicorn",
        "uvicorn app:app --forwarded-allow-ips 10.0.0.0/8,proxy,10.1.1.1/8",
        {"HEADERS": [FOR, PROTO], "PROXIES": ["10.0.0.0/8"]},
        "literal matches-nothing",
    ),
    "switched off": Row(
        "uvicorn", "uvicorn app:app --no-proxy-headers", {}, "nothing-trusted"
    ),
    "switched off in code": Row(
        "uvicorn",
        "import uvicorn\nuvicorn.run(app, proxy_headers=False, host='::')",
        {},
        "nothing-trusted",
    ),
    "in code, by another name": Row(
        "uvicorn",
        "import uvicorn as server\nserver.run(app, forwarded_allow_ips=['10.0.0.1'])",
        {"HEADERS": [FOR, PROTO], "PROXIES": ["10.0.0.1"]},
    ),
    "the middleware": Row(
        "uvicorn",
        "app.add_middleware(ProxyHeadersMiddleware, trusted_hosts='10.0.0.0/8')",
        {"HEADERS": [FOR, PROTO], "PROXIES": ["10.0.0.0/8"]},
    ),
    "a variable in front of the command": Row(
        "uvicorn",
        "FORWARDED_ALLOW_IPS=10.0.0.1 python -m uvicorn app:app",
        {"HEADERS": [FOR, PROTO], "PROXIES": ["10.0.0.1"]},
    ),
    "variables alone": Row(
        "uvicorn",
        "# for the container\nUVICORN_FORWARDED_ALLOW_IPS=10.0.0.1\nWORKERS=2\n"
        "UVICORN_PROXY_HEADERS=true",
        {"HEADERS": [FOR, PROTO], "PROXIES": ["10.0.0.1"]},
    ),
    "options alone": Row(
        "uvicorn",
        "--proxy-headers --forwarded-allow-ips=10.0.0.1",
        {"HEADERS": [FOR, PROTO], "PROXIES": ["10.0.0.1"]},
    ),
    "a unix socket": Row(
        "uvicorn",
        "uvicorn app:app --uds /run/app.sock",
        {"HEADERS": [FOR, PROTO], "PROXIES": ["127.0.0.1", "::1"]},
        "unix-never-trusted",
    ),
    "the list's option alone": Row(
        "uvicorn",
        "--forwarded-allow-ips=10.0.0.1",
        {"HEADERS": [FOR, PROTO], "PROXIES": ["10.0.0.1"]},
    ),
    "the list's variable alone": Row(
        "uvicorn",
        "FORWARDED_ALLOW_IPS=*",
        {"HEADERS": [FOR, PROTO], "PROXIES": "*"},
    ),
    "a list of items": Row(
        "uvicorn",
        "command:\n  - uvicorn\n  - app:app\n  - --forwarded-allow-ips\n  - 10.0.0.1\n"
        "ports:\n  - 80\n",
        {"HEADERS": [FOR, PROTO], "PROXIES": ["10.0.0.1"]},
    ),
    "arguments on a line of their own": Row(
        "uvicorn",
        'command: ["uvicorn"]\nargs: ["app:app", "--forwarded-allow-ips=10.0.0.1"]',
        {"HEADERS": [FOR, PROTO], "PROXIES": ["10.0.0.1"]},
    ),
    "a container's command": Row(
        "uvicorn",
        'CMD ["uvicorn", "app:app", "--forwarded-allow-ips", "10.0.0.1"]',
        {"HEADERS": [FOR, PROTO], "PROXIES": ["10.0.0.1"]},
    ),
}

GUNICORN = {
    "the defaults": Row(
        "gunicorn",
        "gunicorn app:app -w 4",
        {"HEADERS": [PROTO], "PROXIES": ["127.0.0.1", "::1"]},
        "scheme-header switch-gunicorn script-name no-client contradiction mapped",
        "proxy-protocol",
    ),
    "a unix socket": Row(
        "gunicorn",
        "ExecStart=/srv/venv/bin/gunicorn --bind unix:/run/app.sock app:app",
        {"HEADERS": [PROTO], "PROXIES": ["unix"]},
    ),
    "both sockets": Row(
        "gunicorn",
        "bind = ['unix:/run/app.sock', '127.0.0.1:8000']\n"
        "forwarded_allow_ips = '10.0.0.1'",
        {"HEADERS": [PROTO], "PROXIES": ["unix", "10.0.0.1"]},
    ),
    "nobody": Row(
        "gunicorn",
        'gunicorn app:app --forwarded-allow-ips ""',
        {"HEADERS": [PROTO], "PROXIES": []},
    ),
    "arguments in a variable": Row(
        "gunicorn",
        "GUNICORN_CMD_ARGS='--forwarded-allow-ips=10.0.0.1 --workers=2'",
        {"HEADERS": [PROTO], "PROXIES": ["10.0.0.1"]},
    ),
    "a variable in a unit file": Row(
        "gunicorn",
        "[Service]\nEnvironment=FORWARDED_ALLOW_IPS=10.0.0.1\n"
        "ExecStart=/usr/bin/gunicorn app:app",
        {"HEADERS": [PROTO], "PROXIES": ["10.0.0.1"]},
    ),
    "the list's option alone": Row(
        "gunicorn",
        "--forwarded-allow-ips=10.0.0.1",
        {"HEADERS": [PROTO], "PROXIES": ["10.0.0.1"]},
    ),
    "the list's variable alone": Row(
        "gunicorn",
        "FORWARDED_ALLOW_IPS=10.0.0.1",
        {"HEADERS": [PROTO], "PROXIES": ["10.0.0.1"]},
    ),
    "headers of its own": Row(
        "gunicorn",
        "secure_scheme_headers = {'X-FORWARDED-SSL': 'on', 'X-EDGE_TLS': 'https',\n"
        "    'X-FORWARDED-PROTOCOL': 'ssl', 'X-REAL-IP': 'https', 'X-TLS': 'maybe',\n"
        "    'X-SECURE': '1'}\n"
        "forwarded_allow_ips = '*'\n"
        "workers = 2",
        {
            "HEADERS": [
                "X-Forwarded-SSL",
                "X-Edge-Tls=scheme",
                "X-Secure=flag",
            ],
            "PROXIES": "*",
        },
        "scheme-value synonyms everybody",
        "scheme-header",
    ),
    "no header left": Row(
        "gunicorn",
        "secure_scheme_headers = {'X-TLS': 'maybe'}",
        {},
        "scheme-value nothing-trusted",
    ),
    "a uvicorn worker": Row(
        "gunicorn",
        "gunicorn app:app -k uvicorn.workers.UvicornWorker "
        "--forwarded-allow-ips=10.0.0.1",
        {"HEADERS": [FOR, PROTO], "PROXIES": ["10.0.0.1"]},
        "switch-uvicorn",
        "no-client",
    ),
    "the PROXY protocol": Row(
        "gunicorn",
        "gunicorn app:app --proxy-protocol",
        {"HEADERS": [PROTO], "PROXIES": ["127.0.0.1", "::1"]},
        "proxy-protocol",
    ),
    "no PROXY protocol": Row(
        "gunicorn",
        "proxy_protocol = False",
        {"HEADERS": [PROTO], "PROXIES": ["127.0.0.1", "::1"]},
        "",
        "proxy-protocol",
    ),
}

HYPERCORN = {
    "the defaults": Row(
        "hypercorn",
        "app = ProxyFixMiddleware(app)",
        {"HEADERS": [FOR, PROTO, HOST], "HOPS": 1},
        "remove-proxyfix websocket-scheme malformed bare-address",
        "fewer-elements no-falling-back",
    ),
    "a count": Row(
        "hypercorn",
        "app = ProxyFixMiddleware(app, mode='legacy', trusted_hops=2)",
        {"HEADERS": [FOR, PROTO, HOST], "HOPS": 2},
        "fewer-elements",
    ),
    "Forwarded": Row(
        "hypercorn",
        "app = ProxyFixMiddleware(app, 'modern', 2)",
        {"HEADERS": ["Forwarded"], "HOPS": 2},
        "no-falling-back forwarded-grammar",
    ),
    "nothing trusted": Row(
        "hypercorn", "ProxyFixMiddleware(app, trusted_hops=0)", {}, "nothing-trusted"
    ),
}

WAITRESS = {
    "an address and headers": Row(
        "waitress",
        "waitress-serve --trusted-proxy=127.0.0.1 --trusted-proxy-count=2 "
        "--trusted-proxy-headers='x-forwarded-for x-forwarded-proto x-forwarded-port' "
        "app:app",
        {
            "HEADERS": [FOR, PROTO, PORT],
            "PROXIES": ["127.0.0.1"],
            "HOPS": 2,
            "MALFORMED": "reject",
            "STRIP": "all",
            "PORT_IN_HOST": True,
        },
        "switch-waitress fewer-elements mapped bracketed-port server-name strip-all "
        "scheme-list",
        "proto-alone forwarded-own-element add-networks",
    ),
    "everybody, in code": Row(
        "waitress",
        "from waitress import serve\nserve(app, trusted_proxy='*', threads=2,\n"
        "    trusted_proxy_headers={'x-forwarded-for', 'x-forwarded-by'},\n"
        "    clear_untrusted_proxy_headers=False)",
        {"HEADERS": [FOR], "HOPS": 1, "MALFORMED": "reject"},
        "add-networks forwarded-by",
        "strip-all server-name",
    ),
    "Forwarded, over a unix socket": Row(
        "waitress",
        "waitress.serve(app, unix_socket='/run/app.sock', trusted_proxy='localhost',\n"
        "    trusted_proxy_headers='forwarded')",
        {
            "HEADERS": ["Forwarded"],
            "PROXIES": ["unix"],
            "HOPS": 1,
            "MALFORMED": "reject",
            "STRIP": "all",
        },
        "forwarded-own-element",
    ),
    "no header named": Row(
        "waitress",
        "waitress-serve --trusted-proxy 10.0.0.1 "
        "--no-clear-untrusted-proxy-headers app:app",
        {
            "HEADERS": [PROTO],
            "PROXIES": ["10.0.0.1"],
            "HOPS": 1,
            "MALFORMED": "reject",
        },
        "proto-alone",
        "strip-all fewer-elements",
    ),
    "only a header that changes nothing": Row(
        "waitress",
        "waitress.serve(app, trusted_proxy='*',\n"
        "    trusted_proxy_headers='x-forwarded-by')",
        {},
        "forwarded-by",
    ),
    "nobody trusted": Row("waitress", "waitress-serve app:app", {}, "nothing-trusted"),
    "nobody trusted, nothing removed": Row(
        "waitress",
        "waitress.serve(app, clear_untrusted_proxy_headers=False)",
        {},
        "",
        "nothing-trusted",
    ),
    "options alone": Row(
        "waitress",
        "--trusted-proxy=10.0.0.1 --trusted-proxy-headers=x-forwarded-for",
        {
            "HEADERS": [FOR],
            "PROXIES": ["10.0.0.1"],
            "HOPS": 1,
            "MALFORMED": "reject",
            "STRIP": "all",
        },
    ),
    "an INI file": Row(
        "waitress",
        "[app:main]\nuse = egg:app\n[server:main]\nuse = egg:waitress#main\n"
        "trusted_proxy = 10.0.0.1\nclear_untrusted_proxy_headers = no\n"
        "[server:other]\nport = 80\n",
        {
            "HEADERS": [PROTO],
            "PROXIES": ["10.0.0.1"],
            "HOPS": 1,
            "MALFORMED": "reject",
        },
    ),
}

DJANGO = {
    "a scheme's header": Row(
        "django",
        "SECURE_PROXY_SSL_HEADER = ('HTTP_X_FORWARDED_PROTO', 'https')",
        {"HEADERS": [PROTO], "HOPS": 1},
        "say-whom-to-trust remove-settings no-client leftmost-scheme malformed",
    ),
    "a flag's header, host and port": Row(
        "django",
        "SECURE_PROXY_SSL_HEADER = ('HTTP_X_FORWARDED_SSL', 'on')\n"
        "USE_X_FORWARDED_HOST = True\nUSE_X_FORWARDED_PORT: bool = True\n",
        {"HEADERS": ["X-Forwarded-SSL", HOST, PORT], "HOPS": 1},
    ),
    "a custom header": Row(
        "django",
        "SECURE_PROXY_SSL_HEADER = ('HTTP_X_EDGE_TLS', 'https')",
        {
            "HEADERS": ["X-Edge-Tls=scheme"],
            "HOPS": 1,
        },
    ),
    "a value that no form has": Row(
        "django",
        "SECURE_PROXY_SSL_HEADER = ('HTTP_X_FORWARDED_PROTOCOL', 'ssl')",
        {},
        "scheme-value",
        "remove-settings say-whom-to-trust",
    ),
    "a variable of the server": Row(
        "django",
        "SECURE_PROXY_SSL_HEADER = ('wsgi.url_scheme', 'https')",
        {},
        "server-variable",
    ),
    "nothing on": Row(
        "django", "SECURE_PROXY_SSL_HEADER = None\nUSE_X_FORWARDED_HOST = False", {}
    ),
    "a redirect, with all that belongs to it": Row(
        "django",
        "SECURE_PROXY_SSL_HEADER = ('HTTP_X_FORWARDED_PROTO', 'https')\n"
        "SECURE_SSL_REDIRECT = True\nSECURE_SSL_HOST = 'www.example.com'\n"
        "SECURE_REDIRECT_EXEMPT = [r'^healthz/?$', r'^healthz$', r'^(a|b)$']\n"
        "SECURE_HSTS_SECONDS = 60 * 60 * 24 * 365\n"
        "SECURE_HSTS_INCLUDE_SUBDOMAINS = True\nSECURE_HSTS_PRELOAD = True\n",
        {
            "HEADERS": [PROTO],
            "HOPS": 1,
            "HTTPS_ONLY": True,
            "HTTPS_HOST": "www.example.com",
            "HTTPS_EXEMPT": ["/healthz", "/healthz/"],
            "HSTS_POLICY": "max-age=31536000; includeSubDomains; preload",
        },
        "redirect-status exempt-pattern remove-settings",
        "no-preload hsts-stays",
    ),
    "a redirect alone needs nobody to trust": Row(
        "django",
        "SECURE_SSL_REDIRECT = True",
        {"HTTPS_ONLY": True},
        "redirect-status remove-settings",
        "say-whom-to-trust no-client",
    ),
    "a policy that may not be preloaded": Row(
        "django",
        "SECURE_SSL_REDIRECT = True\nSECURE_HSTS_SECONDS = 3600\n"
        "SECURE_HSTS_PRELOAD = not False",
        {"HTTPS_ONLY": True, "HSTS_POLICY": "max-age=3600"},
        "no-preload",
    ),
    "a policy without a redirect": Row(
        "django", "SECURE_HSTS_SECONDS = 3600", {}, "hsts-stays", "remove-settings"
    ),
    "a script name": Row(
        "django",
        "FORCE_SCRIPT_NAME = '/app/'",
        {"HOPS": 1, "FIXED_MOUNT_POINT": "/app"},
        "stated-mount-point say-whom-to-trust remove-settings",
        "no-client",
    ),
    "an empty script name": Row(
        "django", "FORCE_SCRIPT_NAME = '/'", {}, "empty-script-name"
    ),
    "a value that is computed": Row(
        "django",
        "import os\nUSE_X_FORWARDED_HOST = os.environ['HOST'] == '1'\n"
        "USE_X_FORWARDED_PORT = True",
        {"HEADERS": [PORT], "HOPS": 1},
        "computed",
    ),
    "a value under a condition": Row(
        "django",
        "if not os.environ.get('DEBUG'):\n    USE_X_FORWARDED_HOST = True",
        {"HEADERS": [HOST], "HOPS": 1},
        "conditional",
    ),
    "a condition that is known": Row(
        "django",
        "DEBUG = False\nif DEBUG:\n    USE_X_FORWARDED_HOST = True\n"
        "else:\n    USE_X_FORWARDED_PORT = True",
        {"HEADERS": [PORT], "HOPS": 1},
        "",
        "conditional",
    ),
}

XFF = {
    "a depth": Row(
        "django-xff",
        "XFF_TRUSTED_PROXY_DEPTH = 2",
        {"HEADERS": [FOR], "HOPS": 2},
        "remove-middleware fewer-elements bare-address add-networks",
        "more-elements leftmost",
    ),
    "no depth": Row(
        "django-xff",
        "MIDDLEWARE = ['xff.middleware.XForwardedForMiddleware']",
        {"HEADERS": [FOR], "PROXIES": "*"},
        "leftmost everybody",
        "fewer-elements",
    ),
    "strict": Row(
        "django-xff",
        "XFF_TRUSTED_PROXY_DEPTH = 2\nXFF_STRICT = True",
        {"HEADERS": [FOR], "HOPS": 2, "MISSING": "reject"},
        "more-elements",
        "fewer-elements too-few-rejected missing-rejected",
    ),
    "no spoofing": Row(
        "django-xff",
        "XFF_TRUSTED_PROXY_DEPTH = 2\nXFF_NO_SPOOFING = True",
        {"HEADERS": [FOR], "HOPS": 2},
        "more-elements fewer-elements",
    ),
    "always through a proxy, the header may be missing": Row(
        "django-xff",
        "XFF_TRUSTED_PROXY_DEPTH = 1\nXFF_ALWAYS_PROXY = True\n"
        "XFF_HEADER_REQUIRED = False",
        {"HEADERS": [FOR], "HOPS": 1, "MISSING": "reject"},
        "missing-rejected",
        "too-few-rejected",
    ),
    "the header required": Row(
        "django-xff",
        "XFF_TRUSTED_PROXY_DEPTH = 1\nXFF_HEADER_REQUIRED = True",
        {"HEADERS": [FOR], "HOPS": 1, "MISSING": "reject"},
        "too-few-rejected",
    ),
    "loose": Row(
        "django-xff",
        "XFF_TRUSTED_PROXY_DEPTH = 2\nXFF_LOOSE_UNSAFE = True\nXFF_STRICT = True",
        {"HEADERS": [FOR], "PROXIES": "*"},
        "leftmost",
        "more-elements fewer-elements",
    ),
    "what has no equivalent": Row(
        "django-xff",
        "XFF_TRUSTED_PROXY_DEPTH = 1\nXFF_CLEAN = False\n"
        "XFF_REWRITE_REMOTE_ADDR = False\nXFF_EXEMPT_STEALTH = True\n"
        "XFF_EXEMPT_URLS = [r'^healthcheck/$']",
        {"HEADERS": [FOR], "HOPS": 1},
        "always-rewritten remote-addr stealth exempt-urls",
    ),
}

IPWARE = {
    "a call without options": Row(
        "django-ipware",
        "ip, _ = get_client_ip(request)",
        {"HEADERS": [FOR], "HOPS": 1},
        "leftmost one-header say-whom-to-trust read-remote-addr unknown-client "
        "private-client",
        "more-elements",
    ),
    "a call beside settings": Row(
        "django-ipware",
        "IPWARE_META_PROXY_COUNT = 1\nip, _ = get_client_ip(request)",
        {"HEADERS": [FOR], "HOPS": 2},
        "more-elements add-networks",
        "leftmost",
    ),
    "a count, not strict": Row(
        "django-ipware",
        "get_client_ip(request, proxy_count=0, strict=False)",
        {"HEADERS": [FOR], "HOPS": 1},
        "",
        "more-elements leftmost",
    ),
    "a list of proxies": Row(
        "django-ipware",
        "get_client_ip(request, proxy_trusted_ips=['10.1.', '198.51.100.0/24'])",
        {"HEADERS": [FOR], "HOPS": 3},
        "add-networks-of-peers",
    ),
    "an order of headers": Row(
        "django-ipware",
        "IPWARE_META_PRECEDENCE_ORDER = ('HTTP_CF_CONNECTING_IP', 'X_FORWARDED_FOR',\n"
        "    'HTTP_X_FORWARDED_FOR', 'REMOTE_ADDR', 'HTTP_X_REAL_IP')",
        {"HEADERS": ["CF-Connecting-IP"], "HOPS": 1},
        "one-header",
    ),
    "one header": Row(
        "django-ipware",
        "IPWARE_META_PRECEDENCE_ORDER = ('HTTP_X_EDGE_IP', 'REMOTE_ADDR')",
        {
            "HEADERS": ["X-Edge-Ip=address_list"],
            "HOPS": 1,
        },
        "",
        "one-header",
    ),
    "the peer first": Row(
        "django-ipware",
        "IPWARE_META_PRECEDENCE_ORDER = ['REMOTE_ADDR', 'HTTP_X_FORWARDED_FOR']",
        {},
        "nothing-trusted",
    ),
    "the client on the right": Row(
        "django-ipware",
        "get_client_ip(request, 'right-most', 1)",
        {"HEADERS": [FOR], "HOPS": 2},
        "right-most",
    ),
    "settings of former versions": Row(
        "django-ipware",
        "IPWARE_TRUSTED_PROXY_LIST = ['10.0.0.1']",
        {"HEADERS": [FOR], "HOPS": 1},
        "former-setting",
    ),
}

TALISMAN = {
    "the defaults": Row(
        "flask-talisman",
        "Talisman(app)",
        {
            "HEADERS": [PROTO],
            "HOPS": 1,
            "HTTPS_ONLY": True,
            "HTTPS_STATUS": 302,
            "HSTS_POLICY": "max-age=31556926; includeSubDomains",
        },
        "keep-talisman header-from-anybody redirect-status debug-mode per-view "
        "say-whom-to-trust",
        "hsts-stays no-preload",
    ),
    "options in init_app": Row(
        "flask-talisman",
        "talisman = Talisman()\n"
        "talisman.init_app(app=app, force_https_permanent=True)\n"
        "db.init_app(app)",
        {
            "HEADERS": [PROTO],
            "HOPS": 1,
            "HTTPS_ONLY": True,
            "HTTPS_STATUS": 301,
            "HSTS_POLICY": "max-age=31556926; includeSubDomains",
        },
    ),
    "no options anywhere": Row(
        "flask-talisman",
        "extension = Talisman()\nextension.init_app(app)",
        {
            "HEADERS": [PROTO],
            "HOPS": 1,
            "HTTPS_ONLY": True,
            "HTTPS_STATUS": 302,
            "HSTS_POLICY": "max-age=31556926; includeSubDomains",
        },
    ),
    "options in an init_app of another name": Row(
        "flask-talisman",
        "from shop.extensions import security\ndb.init_app(app, name='x')\n"
        "cache.init_app(app)\nsecurity.init_app(app, force_https=False)",
        {"HEADERS": [PROTO], "HOPS": 1},
    ),
    "no redirect": Row(
        "flask-talisman",
        "Talisman(app, force_https=False)",
        {"HEADERS": [PROTO], "HOPS": 1},
        "hsts-stays keep-talisman",
        "redirect-status",
    ),
    "no policy": Row(
        "flask-talisman",
        "Talisman(app, strict_transport_security=False)",
        {"HEADERS": [PROTO], "HOPS": 1, "HTTPS_ONLY": True, "HTTPS_STATUS": 302},
    ),
    "nothing but headers": Row(
        "flask-talisman",
        "Talisman(app, force_https=False, strict_transport_security=False)",
        {"HEADERS": [PROTO], "HOPS": 1},
        "",
        "hsts-stays",
    ),
}

MOD_WSGI = {
    "directives": Row(
        "mod_wsgi",
        "WSGITrustedProxyHeaders X-Forwarded-For X-Forwarded-Proto\n"
        "WSGITrustedProxies 10.1 10.2.3.4/16 127.0.0.1",
        {
            "HEADERS": [FOR, PROTO],
            "PROXIES": ["10.1.0.0/16", "10.2.0.0/16", "127.0.0.1"],
        },
        "respelled switch-mod_wsgi malformed signals bare-address",
        "everybody unknown-header",
    ),
    "no proxies": Row(
        "mod_wsgi",
        "WSGITrustedProxyHeaders X-Real-IP",
        {"HEADERS": ["X-Real-IP"], "PROXIES": "*"},
        "everybody",
    ),
    "headers that mod_wsgi does not know": Row(
        "mod_wsgi",
        "WSGITrustedProxyHeaders X-Real-IP CF-Connecting-IP X-Edge\n"
        "WSGITrustedProxies 10.0.0.1",
        {"HEADERS": ["X-Real-IP"], "PROXIES": ["10.0.0.1"]},
        "unknown-header",
    ),
    "a virtual host among others": Row(
        "mod_wsgi",
        "<IfModule mod_wsgi.c>\n<VirtualHost *:80>\n  ServerName 'quote\n"
        "  WSGIScriptAlias / /srv/app.py\n"
        "  WSGITrustedProxyHeaders X-Real-IP\n  WSGITrustedProxies 10.0.0.1\n"
        "</VirtualHost>\n</IfModule>\n<VirtualHost *:81>\n</VirtualHost>",
        {"HEADERS": ["X-Real-IP"], "PROXIES": ["10.0.0.1"]},
    ),
    "a command line": Row(
        "mod_wsgi",
        "mod_wsgi-express start-server app.py --processes 4 \\\n"
        "  --trust-proxy-header X-Forwarded-Proto --trust-proxy=10.0.0.1 \\\n"
        "  --https-only --server-name example.com --hsts-policy max-age=600 \\\n"
        "  --proxy-mount-point /blog/ http://127.0.0.1:8001/ --port 80",
        {
            "HEADERS": [PROTO],
            "PROXIES": ["10.0.0.1"],
            "HTTPS_ONLY": True,
            "HTTPS_HOST": "example.com",
            "HSTS_POLICY": "max-age=600",
            "MOUNT_POINTS": {"/blog/": "http://127.0.0.1:8001/"},
        },
        "redirect-status mount-points",
        "hsts-needs-https-only bare-address",
    ),
    "options alone": Row(
        "mod_wsgi",
        "--hsts-policy max-age=600",
        {"HSTS_POLICY": "max-age=600"},
        "hsts-needs-https-only",
    ),
    "signals": Row(
        "mod_wsgi",
        "WSGIRestrictSignal On",
        {"RESTRICT_SIGNALS": True},
        "",
        "signals",
    ),
}

NGINX = {
    "a walk": Row(
        "nginx-realip",
        "set_real_ip_from 10.0.0.0/8;\nset_real_ip_from unix:;\n"
        "real_ip_header X-Forwarded-For;\nreal_ip_recursive on;",
        {"HEADERS": [FOR], "PROXIES": ["unix", "10.0.0.0/8"]},
        "front-end-stays unknown-client mapped",
        "not-recursive",
    ),
    "no walk": Row(
        "nginx-realip",
        "set_real_ip_from 10.0.0.0/8; real_ip_header X-Forwarded-For;",
        {"HEADERS": [FOR], "PROXIES": ["10.0.0.0/8"], "HOPS": 1},
        "not-recursive",
    ),
    "the default header": Row(
        "nginx-realip",
        "set_real_ip_from 2001:db8::/32;",
        {"HEADERS": ["X-Real-IP"], "PROXIES": ["2001:db8::/32"]},
        "",
        "not-recursive",
    ),
    "a custom header, host bits and a name": Row(
        "nginx-realip",
        "http { # comment\n  set_real_ip_from 10.1.2.3/8;\n"
        "  set_real_ip_from proxy.test;\n"
        "  real_ip_header 'X-Edge-IP';\n  real_ip_recursive on;\n"
        '  log_format x "a;b";\n}',
        {
            "HEADERS": ["X-Edge-IP=address_list"],
            "PROXIES": ["10.0.0.0/8"],
        },
        "respelled host-name",
    ),
    "inherited": Row(
        "nginx-realip",
        "http {\n set_real_ip_from 10.0.0.0/8;\n real_ip_header X-Real-IP;\n"
        " server { real_ip_header X-Forwarded-For; real_ip_recursive on; }\n}",
        {"HEADERS": [FOR], "PROXIES": ["10.0.0.0/8"]},
    ),
    "the same in two servers": Row(
        "nginx-realip",
        "http {\n set_real_ip_from 10.0.0.0/8;\n"
        " server { real_ip_header X-Forwarded-For; real_ip_recursive on; }\n"
        " server { real_ip_header X-Forwarded-For; real_ip_recursive on; }\n}",
        {"HEADERS": [FOR], "PROXIES": ["10.0.0.0/8"]},
    ),
    "nobody trusted": Row(
        "nginx-realip", "real_ip_header X-Forwarded-For;", {}, "nothing-trusted"
    ),
    "the PROXY protocol": Row(
        "nginx-realip",
        "set_real_ip_from 10.0.0.0/8; real_ip_header proxy_protocol;",
        {},
        "proxy-protocol",
    ),
    "a header of another kind": Row(
        "nginx-realip",
        "set_real_ip_from 10.0.0.0/8; real_ip_header Forwarded;",
        {},
        "no-client-header",
    ),
    "everybody": Row(
        "nginx-realip",
        "set_real_ip_from 0.0.0.0/0; real_ip_header X-Real-IP;",
        {"HEADERS": ["X-Real-IP"], "PROXIES": ["0.0.0.0/0"]},
        "everybody",
    ),
}

REMOTEIP = {
    "internal proxies": Row(
        "mod_remoteip",
        "RemoteIPHeader X-Forwarded-For\nRemoteIPInternalProxy 10.0.0.0/8 10.0.0.1",
        {"HEADERS": [FOR], "PROXIES": ["10.0.0.0/8", "10.0.0.1"]},
        "front-end-stays resolver header-stays element-forms",
        "private-elements",
    ),
    "trusted proxies, and a name": Row(
        "mod_remoteip",
        "remoteipheader X-Client-IP\nRemoteIPTrustedProxy 198.51.100 gateway.test",
        {"HEADERS": ["X-Client-IP"], "PROXIES": ["198.51.100.0/24"]},
        "private-elements respelled host-name",
    ),
    "lists in files": Row(
        "mod_remoteip",
        "RemoteIPHeader X-Forwarded-For\n"
        "RemoteIPInternalProxyList /etc/apache2/internal.lst\n"
        "RemoteIPTrustedProxyList /etc/apache2/trusted.lst",
        {
            "HEADERS": [FOR],
            "PROXIES": [
                "file:/etc/apache2/internal.lst",
                "file:/etc/apache2/trusted.lst",
            ],
        },
        "file-list private-elements",
    ),
    "no list": Row(
        "mod_remoteip",
        "RemoteIPHeader X-Forwarded-For\nRemoteIPProxiesHeader X-Forwarded-By",
        {"HEADERS": [FOR], "PROXIES": "*"},
        "everybody private-elements proxies-header",
    ),
    "no header": Row(
        "mod_remoteip",
        "RemoteIPProxyProtocol On",
        {},
        "proxy-protocol nothing-trusted",
    ),
    "a header of another kind": Row(
        "mod_remoteip", "RemoteIPHeader X-Forwarded-Host", {}, "no-client-header"
    ),
}

TABLES = {
    "proxyfix": PROXY_FIX,
    "uvicorn": UVICORN,
    "gunicorn": GUNICORN,
    "hypercorn": HYPERCORN,
    "waitress": WAITRESS,
    "django": DJANGO,
    "django-xff": XFF,
    "django-ipware": IPWARE,
    "flask-talisman": TALISMAN,
    "mod_wsgi": MOD_WSGI,
    "nginx-realip": NGINX,
    "mod_remoteip": REMOTEIP,
}
ROWS = {
    f"{kind}: {name}": row
    for kind, table in TABLES.items()
    for name, row in table.items()
}


def test_every_kind_has_a_table() -> None:
    """No kind is without rows, and no row without its kind."""
    assert set(TABLES) == set(KINDS)
    assert {row.kind for row in ROWS.values()} == set(KINDS)


@pytest.mark.parametrize("row", ROWS.values(), ids=ROWS)
def test_text_becomes_these_settings(row: Row) -> None:
    """The settings are these and no others, and they can be read."""
    conversion = convert_text(row.text, row.kind)

    expected = {setting(name): value for name, value in row.settings.items()}
    assert dict(conversion.settings) == expected
    assert conversion.kinds == (row.kind,)


@pytest.mark.parametrize("row", ROWS.values(), ids=ROWS)
def test_text_has_these_notes(row: Row) -> None:
    """What is different is said, and what is not is not."""
    codes = {note.code for note in convert_text(row.text, row.kind).notes}

    assert set(row.codes.split()) - codes == set()
    assert set(row.without.split()) & codes == set()


@dataclass(frozen=True, slots=True)
class Refused:
    """One text that is refused: the line, the value, and a part of what is expected."""

    kind: str
    text: str
    where: str
    value: Any
    expected: str


REFUSED = [
    Refused(
        "proxyfix",
        "\nProxyFix(app, x_fro=1)",
        "line 2",
        "x_fro",
        "the nearest is 'x_for'",
    ),
    Refused(
        "proxyfix",
        "ProxyFix(app, x_for=int(n))",
        "line 1, x_for",
        "int(n)",
        "known before the program runs",
    ),
    Refused("proxyfix", "ProxyFix(app, x_for=-1)", "line 1, x_for", -1, "0 or more"),
    Refused("proxyfix", "ProxyFix(app, x_for=True)", "line 1, x_for", True, "a whole"),
    Refused("proxyfix", "ProxyFix(app, **o)", "line 1", "**o", "write the arguments"),
    Refused("proxyfix", "ProxyFix(*o)", "line 1", "ProxyFix(*o)", "its arguments"),
    Refused(
        "proxyfix",
        "ProxyFix(1, 2, 3, 4, 5, 6, 7, 8)",
        "line 1",
        "ProxyFix(1, 2, 3, 4, 5, 6, 7, 8)",
        "its arguments",
    ),
    Refused(
        "proxyfix",
        "ProxyFix(app)\nProxyFix(app, x_for=2)",
        "line 2",
        "ProxyFix",
        "what line 1 says",
    ),
    Refused("proxyfix", "x_for=65", "TRUSTED_PROXY_HOPS", 65, "from 1 to 64"),
    Refused(
        "uvicorn",
        "uvicorn app:app --forwarded-allow-ip 10.0.0.1",
        "line 1",
        "--forwarded-allow-ip",
        "the nearest is '--forwarded-allow-ips'",
    ),
    Refused(
        "uvicorn",
        "uvicorn app:app --forwarded-allow-ips",
        "line 1",
        "--forwarded-allow-ips",
        "an option with its value",
    ),
    Refused(
        "uvicorn",
        "uvicorn app:app --forwarded-allow-ips='10",
        "line 1",
        "uvicorn app:app --forwarded-allow-ips='10",
        "quotes closed",
    ),
    Refused(
        "uvicorn",
        "uvicorn app:app --forwarded-allow-ips=1.2.3",
        "line 1",
        "1.2.3",
        "an address or a network",
    ),
    Refused(
        "uvicorn",
        "uvicorn.run(app, proxy_header=False)",
        "line 1",
        "proxy_header",
        "the nearest is 'proxy_headers'",
    ),
    Refused(
        "gunicorn",
        "secure_scheme_headers = 'X-TLS'",
        "line 1, secure_scheme_headers",
        "X-TLS",
        "a dictionary",
    ),
    Refused(
        "gunicorn",
        "web: gunicorn a:b\nother: uvicorn c:d\n--forwarded-allow-ips=*",
        "line 3",
        "--forwarded-allow-ips=*",
        "on the line of its program",
    ),
    Refused(
        "gunicorn",
        'GUNICORN_CMD_ARGS="--forwarded-allow-ips=\'*"',
        "line 1",
        "--forwarded-allow-ips='*",
        "quotes closed",
    ),
    Refused(
        "gunicorn",
        "forwarded_allow_ips = [1]",
        "line 1, forwarded_allow_ips",
        1,
        "a list of texts",
    ),
    Refused("gunicorn", "worker_class = 1\nproxy_protocol = 1", "line 1", 1, "a text"),
    Refused(
        "hypercorn",
        "ProxyFixMiddleware(app, mode='moden')",
        "line 1, mode",
        "moden",
        "the nearest is 'modern'",
    ),
    Refused(
        "waitress",
        "waitress-serve --trusted-proxy=* --trusted-proxy-headers=x-forwarded-prot a:b",
        "line 1, trusted_proxy_headers",
        "x-forwarded-prot",
        "the nearest is 'x-forwarded-proto'",
    ),
    Refused(
        "waitress",
        "waitress-serve --trusted-proxy-count=2 a:b",
        "line 1, trusted_proxy_count",
        "2",
        "without trusted_proxy",
    ),
    Refused(
        "waitress",
        "[server:main]\ntrusted_proxy = 10.0.0.1\n  [oops",
        "the text, section server:main",
        "10.0.0.1\n[oops",
        "an address",
    ),
    Refused("waitress", "[server:main\nx", "line 1", "MissingSectionH", "an INI file"),
    Refused(
        "django",
        "\nSECURE_PROXY_SSL_HEADERS = None",
        "line 2",
        "SECURE_PROXY_SSL_HEADERS",
        "the nearest is 'SECURE_PROXY_SSL_HEADER'",
    ),
    Refused(
        "django",
        "SECURE_PROXY_SSL_HEADER = 'HTTP_X_FORWARDED_PROTO'",
        "line 1, SECURE_PROXY_SSL_HEADER",
        "HTTP_X_FORWARDED_PROTO",
        "a tuple such as",
    ),
    Refused(
        "django",
        "SECURE_SSL_REDIRECT = 'maybe'",
        "line 1, SECURE_SSL_REDIRECT",
        "maybe",
        "true or false",
    ),
    Refused(
        "django",
        "FORCE_SCRIPT_NAME = '//app'",
        "TRUSTED_PROXY_FIXED_MOUNT_POINT",
        "//app",
        "",
    ),
    Refused(
        "django-xff",
        "XFF_TRUSTED_DEPTH = 1",
        "line 1",
        "XFF_TRUSTED_DEPTH",
        "a setting that is known here",
    ),
    Refused(
        "django-ipware",
        "IPWARE_META_PRECEDENCE_ORDER = ('HTTP_FORWARDED',)",
        "line 1, IPWARE_META_PRECEDENCE_ORDER",
        "FORWARDED",
        "a client's address",
    ),
    Refused(
        "mod_wsgi",
        "\nWSGITrustedProxyHeader X-Real-IP",
        "line 2",
        "WSGITrustedProxyHeader",
        "the nearest is 'WSGITrustedProxyHeaders'",
    ),
    Refused(
        "mod_wsgi",
        "WSGITrustedProxies 10.0.0.0/255.0.255.0\nWSGITrustedProxyHeaders X-Real-IP",
        "line 1",
        "10.0.0.0/255.0.255.0",
        "an address or a network",
    ),
    Refused(
        "mod_wsgi",
        "WSGITrustedProxyHeaders X-Real-IP\nWSGITrustedProxies 300.1",
        "line 1",
        "300.1",
        "an address or a network",
    ),
    Refused(
        "mod_wsgi",
        "<Location /a>\nWSGITrustedProxies 10.0.0.1\n</Location>\n"
        "<Location /b>\nWSGITrustedProxies 10.0.0.2\n</Location>",
        "line 5",
        "a second section",
        "line 2",
    ),
    Refused(
        "mod_wsgi",
        "mod_wsgi-express start-server --trust-proxy-headers X-Real-IP",
        "line 1",
        "--trust-proxy-headers",
        "the nearest is '--trust-proxy-header'",
    ),
    Refused(
        "mod_wsgi", "WSGITrustedProxies '10", "line 1", "WSGITrustedProxies '10", "quot"
    ),
    Refused(
        "mod_wsgi",
        "<VirtualHost *:80>\nWSGITrustedProxies 10.0.0.1\n</Virtual>",
        "line 3",
        "</Virtual>",
        "the end of an open section",
    ),
    Refused(
        "mod_wsgi",
        "\n<VirtualHost *:80>\nWSGITrustedProxies 10.0.0.1",
        "line 2",
        "<virtualhost>",
        "a section that ends",
    ),
    Refused(
        "nginx-realip",
        "\nset_real_ip_form 10.0.0.1;\nreal_ip_header X-Real-IP;",
        "line 2",
        "set_real_ip_form",
        "the nearest is 'set_real_ip_from'",
    ),
    Refused(
        "nginx-realip",
        "real_ip_recursive maybe; set_real_ip_from 10.0.0.1;",
        "line 1, real_ip_recursive",
        "maybe",
        "on or off",
    ),
    Refused(
        "nginx-realip",
        "set_real_ip_from 10.0.0.1;\nreal_ip_header A B;",
        "line 2, real_ip_header",
        ["A", "B"],
        "one value",
    ),
    Refused(
        "nginx-realip",
        "real_ip_header A;\nreal_ip_header B;",
        "line 2",
        "real_ip_header",
        "said once: it is in line 1",
    ),
    Refused(
        "nginx-realip",
        "http {\nserver { set_real_ip_from 10.0.0.1; }\n"
        "server { set_real_ip_from 10.0.0.2; }\n}",
        "line 3",
        "nginx's realip module",
        "what line 2 says",
    ),
    Refused(
        "nginx-realip", "real_ip_header A", "line 1", "real_ip_header A the end", "';'"
    ),
    Refused(
        "nginx-realip", "real_ip_header A }", "line 1", "real_ip_header A }", "';'"
    ),
    Refused("nginx-realip", "real_ip_header A;\n;", "line 2", ";", "ends in ';'"),
    Refused("nginx-realip", "real_ip_header A;\n}", "line 2", "}", "ends in ';'"),
    Refused("nginx-realip", "\nhttp {\nreal_ip_header A;", "line 2", "http #2", "'}'"),
    Refused("nginx-realip", "real_ip_header 'A;\nx", "line 1", "'A;", "quotes closed"),
    Refused(
        "mod_remoteip",
        "RemoteIPHeaders X-Real-IP",
        "line 1",
        "RemoteIPHeaders",
        "the nearest is 'RemoteIPHeader'",
    ),
    Refused(
        "mod_remoteip",
        "RemoteIPHeader X-Real-IP\nRemoteIPInternalProxy fe80::1%eth0",
        "line 2",
        "fe80::1%eth0",
        "an address without a zone",
    ),
    Refused(
        "mod_remoteip",
        "RemoteIPHeader X-Real-IP\nRemoteIPInternalProxy gateway.test/8",
        "line 2",
        "gateway.test/8",
        "an address or a network",
    ),
    Refused(
        "mod_remoteip",
        "RemoteIPHeader X=Y",
        "TRUSTED_PROXY_HEADERS",
        "X=Y",
        "a header name",
    ),
    Refused(
        "mod_remoteip",
        "RemoteIPHeader A B",
        "line 1, RemoteIPHeader",
        ["A", "B"],
        "a name",
    ),
    Refused(
        "mod_remoteip",
        "RemoteIPHeader X-Real-IP\nRemoteIPInternalProxyList conf/internal.lst",
        "line 2, RemoteIPInternalProxyList",
        "conf/internal.lst",
        "an absolute path",
    ),
]


@pytest.mark.parametrize("row", REFUSED, ids=lambda row: f"{row.kind}: {row.text[:40]}")
def test_text_is_refused(row: Refused) -> None:
    """The error names the line, the value and what to write."""
    with pytest.raises(ConfigurationError) as caught:
        convert_text(row.text, row.kind)

    assert caught.value.option.startswith(row.where)
    if isinstance(row.value, str):
        assert str(caught.value.value).startswith(row.value)
    else:
        assert caught.value.value == row.value
    assert row.expected in caught.value.expected

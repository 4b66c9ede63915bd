"""
Kinds found out, several sources as one, whom to trust, files of a project.
"""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from trustedproxy import ConfigurationError
from trustedproxy.convert import (
    KINDS,
    Effect,
    Note,
    convert_files,
    convert_text,
    detect_kinds,
)
from trustedproxy.convert import project as project_module

FOR, PROTO = "X-Forwarded-For", "X-Forwarded-Proto"

DETECTED = {
    "ProxyFix(app, x_for=1)": ("proxyfix",),
    "Talisman(app)\nProxyFix(app)": ("proxyfix", "flask-talisman"),
    "SECURE_SSL_REDIRECT = True\nXFF_STRICT = True": ("django", "django-xff"),
    "gunicorn app:app": ("gunicorn",),
    "uvicorn app:app": ("uvicorn",),
    "web: gunicorn app:app --workers 2\nworker: celery": ("gunicorn",),
    "set_real_ip_from 10.0.0.1;\nupstream gunicorn { server 127.0.0.1; }": (
        "nginx-realip",
    ),
    "RemoteIPHeader X-Real-IP\nWSGITrustedProxies 10.0.0.1": (
        "mod_wsgi",
        "mod_remoteip",
    ),
    "print('nothing')": (),
    "FORWARDED_ALLOW_IPS=*": (),
    "--forwarded-allow-ips=*": (),
    "--proxy-headers": ("uvicorn",),
    "--proxy-protocol": ("gunicorn",),
    "celery --loglevel=info\ngunicorn app:app": ("gunicorn",),
    "": (),
    "It's no configuration at all; not one (": (),
    "# it's about gunicorn\nx = 1": (),
}


@pytest.mark.parametrize("text", DETECTED)
def test_kinds_of_a_text_are_found_out(text: str) -> None:
    """A text may hold several kinds, or none."""
    assert detect_kinds(text) == DETECTED[text]


def test_conversion_of_a_text_finds_its_kinds_out() -> None:
    """Without a name, everything that is there is converted together."""
    conversion = convert_text("Talisman(app)\nProxyFix(app, x_for=2, x_proto=2)")

    assert conversion.kinds == ("proxyfix", "flask-talisman")
    assert conversion.settings["TRUSTED_PROXY_HEADERS"] == [FOR, PROTO]
    assert conversion.settings["TRUSTED_PROXY_HOPS"] == 2
    assert conversion.settings["TRUSTED_PROXY_HTTPS_ONLY"] is True


def test_kind_that_is_not_known_names_the_nearest() -> None:
    """A typing error in the kind's name is named."""
    with pytest.raises(ConfigurationError) as caught:
        convert_text("ProxyFix(app)", "proxifix")

    assert caught.value.nearest == "proxyfix"


def test_text_without_the_kind_says_what_it_is_read_from() -> None:
    """The error names the kind, and where it is configured."""
    with pytest.raises(ConfigurationError, match=r"ProxyFix: a call of ProxyFix"):
        convert_text("print('x')", "proxyfix")


def test_text_of_no_kind_names_them_all() -> None:
    """Whoever gives a text that nobody knows learns what is known."""
    with pytest.raises(ConfigurationError) as caught:
        convert_text("SECRET_KEY = 'hidden'\nDEBUG = True")

    assert all(name in caught.value.expected for name in KINDS)
    assert str(caught.value).startswith("the text: 'a text of 2 lines' is not")
    assert "hidden" not in str(caught.value)


def test_python_that_is_named_so_and_is_none_says_where() -> None:
    """The line of a syntax error is in the error."""
    with pytest.raises(ConfigurationError) as caught:
        convert_text("x = 1\ny = (", name="settings.py")

    assert caught.value.option == "settings.py, line 2"
    assert "Python source" in caught.value.expected


def test_names_of_files_say_the_language() -> None:
    """What stands in a file of variables is no Python."""
    conversion = convert_text("UVICORN_PROXY_HEADERS=0", name=".env")

    assert [note.code for note in conversion.notes] == ["nothing-trusted"]


# -- whom to trust ---------------------------------------------------------------------


def test_proxies_that_are_said_take_the_place_of_a_guess() -> None:
    """Where the source does not say whom to trust, the caller can."""
    conversion = convert_text("Talisman(app)", proxies="loopback, 10.0.0.0/8")

    assert conversion.settings["TRUSTED_PROXIES"] == ["loopback", "10.0.0.0/8"]
    assert "TRUSTED_PROXY_HOPS" not in conversion.settings
    assert "say-whom-to-trust" not in {note.code for note in conversion.notes}


def test_proxies_that_are_said_stand_beside_a_count() -> None:
    """A count stays, and the peer has to be in the list besides."""
    conversion = convert_text("ProxyFix(app, x_for=2, x_proto=2)", proxies=["unix"])

    assert conversion.settings["TRUSTED_PROXIES"] == ["unix"]
    assert conversion.settings["TRUSTED_PROXY_HOPS"] == 2
    assert "add-networks" not in {note.code for note in conversion.notes}


def test_proxies_that_are_said_are_checked() -> None:
    """They are settings as any others."""
    with pytest.raises(ConfigurationError, match=r"TRUSTED_PROXIES\[0\].*'nginx'"):
        convert_text("ProxyFix(app)", proxies=["nginx"])


def test_lists_of_several_sources_are_put_together() -> None:
    """Whoever is trusted by one of them is a proxy."""
    text = "RemoteIPHeader X-Forwarded-For\nRemoteIPInternalProxy 10.0.0.1\n"
    text += "WSGITrustedProxyHeaders X-Forwarded-Proto\nWSGITrustedProxies 10.0.0.2"

    conversion = convert_text(text)

    assert conversion.settings["TRUSTED_PROXIES"] == ["10.0.0.2", "10.0.0.1"]


def test_every_peer_of_one_source_gives_way_to_the_list_of_another() -> None:
    """A list that somebody made says more than none."""
    text = "RemoteIPHeader X-Forwarded-For\nRemoteIPInternalProxy 10.0.0.1\n"
    text += "WSGITrustedProxyHeaders X-Forwarded-Proto"

    conversion = convert_text(text)

    assert conversion.settings["TRUSTED_PROXIES"] == ["10.0.0.1"]


def test_every_peer_beside_a_count_is_the_count(tmp_path: Path) -> None:
    """The count says more than that everybody is trusted."""
    (tmp_path / "app.py").write_text("ProxyFix(app, x_for=2, x_proto=2)")
    (tmp_path / "gunicorn.conf.py").write_text("forwarded_allow_ips = '*'")

    conversion = convert_files([tmp_path])

    assert conversion.kinds == ("proxyfix", "gunicorn")
    assert conversion.settings["TRUSTED_PROXY_HOPS"] == 2
    assert "TRUSTED_PROXIES" not in conversion.settings
    assert "no-client" not in {note.code for note in conversion.notes}


def test_counts_that_agree_are_one() -> None:
    """The same count of two tools is that count."""
    text = "XFF_TRUSTED_PROXY_DEPTH = 2\nIPWARE_META_PROXY_COUNT = 1"

    assert convert_text(text).settings["TRUSTED_PROXY_HOPS"] == 2


def test_counts_that_contradict_each_other_are_refused() -> None:
    """Two counts of two tools are one too many."""
    text = "XFF_TRUSTED_PROXY_DEPTH = 2\nIPWARE_META_PROXY_COUNT = 0"

    with pytest.raises(ConfigurationError, match=r"the count of django-ipware in line"):
        convert_text(text)


def test_settings_that_contradict_each_other_are_refused(tmp_path: Path) -> None:
    """Two redirects of two tools are one too many."""
    (tmp_path / "a.py").write_text(
        "SECURE_SSL_REDIRECT = True\nSECURE_HSTS_SECONDS = 60"
    )
    (tmp_path / "b.py").write_text("Talisman(app)")

    with pytest.raises(ConfigurationError) as caught:
        convert_files([tmp_path / "a.py", tmp_path / "b.py"])

    assert caught.value.option.endswith("a.py, line 1, TRUSTED_PROXY_HSTS_POLICY")
    assert "what Flask-Talisman says in" in caught.value.expected


def test_two_client_headers_are_named(tmp_path: Path) -> None:
    """Synonyms can be forged, so that a note says to choose one."""
    (tmp_path / "a.conf").write_text("set_real_ip_from 10.0.0.1;")
    (tmp_path / "b.py").write_text("ProxyFix(app)")

    conversion = convert_files([tmp_path / "a.conf", tmp_path / "b.py"])

    assert "synonyms" in {note.code for note in conversion.notes}


def test_headers_stand_in_the_order_of_their_categories() -> None:
    """The client, the scheme, the host, as people write them."""
    conversion = convert_text("ProxyFix(app, x_prefix=1)\nTalisman(app)")

    assert conversion.settings["TRUSTED_PROXY_HEADERS"] == [
        FOR,
        PROTO,
        "X-Forwarded-Prefix",
    ]


# -- files -----------------------------------------------------------------------------


def write(folder: Path, files: dict[str, str]) -> None:
    """Write files below a folder."""
    for name, text in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")


def test_settings_of_a_module_are_read_with_those_that_it_imports(
    tmp_path: Path,
) -> None:
    """A later assignment replaces an earlier one, as in Python; nothing is run."""
    write(
        tmp_path,
        {
            "site/settings/__init__.py": "",
            "site/settings/base.py": "from .common import *\n"
            "USE_X_FORWARDED_HOST = True\nraise SystemExit",
            "site/settings/common.py": "from .base import *\n"
            "SECURE_PROXY_SSL_HEADER = ('HTTP_X_FORWARDED_PROTO', 'https')\n",
            "site/settings/production.py": "from site.settings.base import *\n"
            "USE_X_FORWARDED_HOST = False\n",
        },
    )

    conversion = convert_files([tmp_path / "site/settings/production.py"])

    assert conversion.settings["TRUSTED_PROXY_HEADERS"] == [PROTO]
    assert "import-not-read" not in {note.code for note in conversion.notes}


def test_import_of_a_package_is_followed(tmp_path: Path) -> None:
    """``from . import *`` and ``from .. import *`` lead to a package's own file."""
    write(
        tmp_path,
        {
            "site/__init__.py": "USE_X_FORWARDED_HOST = True",
            "site/a/__init__.py": "from .. import *",
            "site/a/live.py": "from . import *\nUSE_X_FORWARDED_PORT = True",
        },
    )

    conversion = convert_files([tmp_path / "site/a/live.py"])

    assert conversion.settings["TRUSTED_PROXY_HEADERS"] == [
        "X-Forwarded-Host",
        "X-Forwarded-Port",
    ]


@pytest.mark.parametrize("module", [".missing", ".", "somewhere.else_"])
def test_import_that_is_not_there_is_named(tmp_path: Path, module: str) -> None:
    """What an import may bring and nobody has read is a note."""
    write(tmp_path, {"live.py": f"from {module} import *\nUSE_X_FORWARDED_HOST = True"})

    conversion = convert_files([tmp_path / "live.py"])

    assert "import-not-read" in {note.code for note in conversion.notes}


def test_project_is_looked_through(tmp_path: Path) -> None:
    """Files that may hold a configuration are read, others are not."""
    write(
        tmp_path,
        {
            "shop/settings.py": "USE_X_FORWARDED_HOST = True",
            "shop/views.py": "def broken(:",
            "shop/tests/settings.py": "XFF_STRICT = True",
            ".venv/settings.py": "XFF_STRICT = True",
            "a/b/c/d/e/settings.py": "XFF_STRICT = True",
            "deploy/app.service": "ExecStart=/bin/gunicorn -b unix:/run/a.sock a:b",
            "README": "SECURE_SSL_REDIRECT = True",
        },
    )

    conversion = convert_files([tmp_path])

    assert conversion.kinds == ("django", "gunicorn")
    assert conversion.settings["TRUSTED_PROXIES"] == ["unix"]


def test_options_of_an_extension_may_stand_in_another_file(tmp_path: Path) -> None:
    """It is made in one module and used in another one."""
    write(
        tmp_path,
        {
            "shop/main.py": "from flask_talisman import Talisman\nextra = Talisman()",
            "shop/app.py": "extra.init_app(app, strict_transport_security=False)",
        },
    )

    conversion = convert_files([tmp_path])

    assert conversion.settings["TRUSTED_PROXY_HTTPS_ONLY"] is True
    assert "TRUSTED_PROXY_HSTS_POLICY" not in conversion.settings


def test_gunicorn_is_read_as_it_reads_itself(tmp_path: Path) -> None:
    """A command line replaces what the file says, the file what a variable says."""
    write(
        tmp_path,
        {
            "gunicorn.conf.py": "bind = ':80'\nforwarded_allow_ips = '10.0.0.1'",
            "Procfile": "web: gunicorn shop:app --bind unix:/run/shop.sock -w 2",
            ".env": "FORWARDED_ALLOW_IPS=10.0.0.9",
        },
    )

    conversion = convert_files([tmp_path])

    assert conversion.settings["TRUSTED_PROXIES"] == ["unix"]
    (tmp_path / "Procfile").unlink()
    conversion = convert_files([tmp_path], "gunicorn")
    assert conversion.settings["TRUSTED_PROXIES"] == ["10.0.0.1"]


def test_project_without_a_configuration_is_refused(tmp_path: Path) -> None:
    """Nothing that is known is in the folder."""
    with pytest.raises(ConfigurationError) as caught:
        convert_files([tmp_path])

    assert caught.value.option == "files"
    assert str(caught.value.value) == str(tmp_path)


def test_file_without_a_configuration_is_refused(tmp_path: Path) -> None:
    """The file is named."""
    write(tmp_path, {"a.py": "x = 1"})

    with pytest.raises(ConfigurationError) as caught:
        convert_files([tmp_path / "a.py"], "django")

    assert caught.value.option == str(tmp_path / "a.py")


def test_project_of_too_many_files_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever names the root of a disk learns to name a project."""
    monkeypatch.setattr(project_module, "MAX_FILES", 1)
    write(tmp_path, {"a.conf": "", "b.conf": ""})

    with pytest.raises(ConfigurationError, match="at most 1 files"):
        convert_files([tmp_path])


def test_file_that_is_not_there_is_refused(tmp_path: Path) -> None:
    """The system's reason is named."""
    with pytest.raises(ConfigurationError, match="No such file"):
        convert_files([tmp_path / "none.py"])


def test_file_that_is_too_large_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No configuration is that large."""
    monkeypatch.setattr(project_module, "MAX_SIZE", 10)
    write(tmp_path, {"a.py": "x = 1  # long"})

    with pytest.raises(ConfigurationError, match="at most 10 bytes"):
        convert_files([tmp_path / "a.py"])


def test_file_that_is_no_text_says_where(tmp_path: Path) -> None:
    """The line of the byte that is no UTF-8 is in the error."""
    (tmp_path / "a.conf").write_bytes(b"real_ip_header X;\n# \xff\n")

    with pytest.raises(ConfigurationError) as caught:
        convert_files([tmp_path / "a.conf"])

    assert caught.value.option == f"{tmp_path / 'a.conf'}, line 2"


# -- records ---------------------------------------------------------------------------


def test_conversion_is_plain_values_for_json() -> None:
    """Nothing in it is more than texts, numbers, lists and mappings."""
    conversion = convert_text(
        "set_real_ip_from 10.0.0.0/8; real_ip_header X-Edge-IP; real_ip_recursive on;"
    )

    plain = json.loads(json.dumps(conversion.as_dict()))

    assert plain["kinds"] == ["nginx-realip"]
    assert plain["settings"] == {
        "TRUSTED_PROXY_HEADERS": ["X-Edge-IP=address_list"],
        "TRUSTED_PROXIES": ["10.0.0.0/8"],
    }
    assert plain["notes"][0]["effect"] == "to do"
    assert set(plain["notes"][0]) == {"effect", "code", "text", "where"}


def test_settings_of_a_conversion_can_be_read() -> None:
    """They make the policy that is meant."""
    policy = convert_text("x_for=2", "proxyfix").read().policy

    assert policy.hops == 2
    assert [header.name for header in policy.headers] == [FOR, PROTO]


def test_note_says_where_it_is_about() -> None:
    """As text it begins with the place, where there is one."""
    assert str(Note(Effect.CHANGES, "x", "Text.", "a.py, line 3")) == (
        "a.py, line 3: Text."
    )
    assert str(Note(Effect.CHANGES, "x", "Text.")) == "Text."


def test_notes_come_in_the_order_of_a_report() -> None:
    """What is to do comes first, what has no equivalent last."""
    notes = convert_text("gunicorn app:app --forwarded-allow-ips=*").notes

    effects = [note.effect for note in notes]
    assert effects == sorted(effects, key=list(Effect).index)
    assert len(set(notes)) == len(notes)

"""
The table of headers, and custom headers.

In:  `KNOWN_HEADERS`, and headers that a user makes.
Out: what the table promises to everything that reads it.
"""

from __future__ import annotations

import re
from typing import Any

import pytest

from trustedproxy import Category, ConfigurationError, Form, ProxyHeader
from trustedproxy.headers import (
    FORMS_OF,
    FORWARDED_CATEGORIES,
    KNOWN_HEADERS,
    environ_key,
)

#: The headers that mod_wsgi knows (``WSGITrustedProxyHeaders``), by category.
OF_MOD_WSGI = {
    Category.CLIENT: ("X-Forwarded-For", "X-Real-IP", "X-Client-IP"),
    Category.SCHEME: (
        "X-Forwarded-Proto",
        "X-Forwarded-Scheme",
        "X-Scheme",
        "X-Forwarded-HTTPS",
        "X-Forwarded-SSL",
        "X-HTTPS",
    ),
    Category.HOST: ("X-Forwarded-Host", "X-Host"),
    Category.SERVER: ("X-Forwarded-Server",),
    Category.PORT: ("X-Forwarded-Port",),
    Category.MOUNT_POINT: ("X-Script-Name", "X-Forwarded-Script-Name"),
}
CATEGORY_OF = [(name, c) for c, names in OF_MOD_WSGI.items() for name in names]


def test_no_header_stands_in_the_table_twice() -> None:
    """One name has one row, also where a WSGI server cannot tell two apart."""
    keys = [header.environ_key for header in KNOWN_HEADERS]

    assert len(set(keys)) == len(keys)
    assert len({header.name.lower() for header in KNOWN_HEADERS}) == len(keys)


@pytest.mark.parametrize(("name", "category"), CATEGORY_OF)
def test_header_of_mod_wsgi_is_known_in_its_category(
    name: str, category: Category
) -> None:
    """All fifteen headers that mod_wsgi knows are here."""
    assert len(CATEGORY_OF) == 15
    assert category in {h.category for h in KNOWN_HEADERS if h.name == name}


@pytest.mark.parametrize("header", KNOWN_HEADERS, ids=lambda header: header.name)
def test_known_header_has_a_form_of_its_category(header: ProxyHeader) -> None:
    """What is read can be written down so; what is not, is only removed."""
    assert re.fullmatch(r"[A-Za-z0-9-]+", header.name)
    assert header.environ_key == "HTTP_" + header.name.upper().replace("-", "_")
    if header.form is Form.FORWARDED:
        assert header.categories == FORWARDED_CATEGORIES
    else:
        assert header.categories == (header.category,)
        assert header.form in (*FORMS_OF[header.category], Form.NEVER)
    assert header.category is not Category.OTHER or header.form is Form.NEVER


def test_every_category_can_be_written_down() -> None:
    """Each category has a form, and a header in the table."""
    assert set(FORMS_OF) == set(Category)
    assert {header.category for header in KNOWN_HEADERS} == set(Category)


def test_environ_key_is_spelled_as_servers_do() -> None:
    """RFC 3875 section 4.1.18."""
    assert environ_key("X-Forwarded-For") == "HTTP_X_FORWARDED_FOR"
    assert environ_key("x-real-ip") == "HTTP_X_REAL_IP"


@pytest.mark.parametrize(
    ("category", "form"),
    [
        *((category, form) for category, forms in FORMS_OF.items() for form in forms),
        *((category, Form.NEVER) for category in Category),
        (Category.CLIENT, Form.FORWARDED),
    ],
)
def test_custom_header_has_any_form_of_its_category(
    category: Category, form: Form
) -> None:
    """Every form of a category can be used, and each header can be only removed."""
    header = ProxyHeader("X-Edge", category, form)

    assert category in header.categories


@pytest.mark.parametrize(
    "name",
    ["", "X_Edge", "X Edge", "X-Edge:", "X-Edge\n", "X-\xc9dge", "X-Edge,Y", b"X", 5],
)
def test_custom_header_needs_a_name(name: Any) -> None:
    """A name is a token; an underscore is a hyphen to a WSGI server, and refused."""
    with pytest.raises(ConfigurationError) as caught:
        ProxyHeader(name, Category.CLIENT, Form.ADDRESS)

    assert str(caught.value) == (
        f"TRUSTED_PROXY_HEADERS: {name!r} is not "
        "a header name of letters, digits and '-'."
    )


def test_custom_header_needs_a_category() -> None:
    """A word is no category."""
    category: Any = "client"

    with pytest.raises(ConfigurationError) as caught:
        ProxyHeader("X-Edge", category, Form.ADDRESS)

    assert str(caught.value) == (
        "TRUSTED_PROXY_HEADERS: 'client' is not a trustedproxy.Category."
    )


@pytest.mark.parametrize(
    ("category", "form"),
    [(Category.CLIENT, "address"), (Category.OTHER, "never read"), (Category.HOST, 5)],
)
def test_custom_header_needs_a_form(category: Category, form: Any) -> None:
    """A word is no form, though it may equal one."""
    with pytest.raises(ConfigurationError) as caught:
        ProxyHeader("X-Edge", category, form)

    assert str(caught.value) == (
        f"TRUSTED_PROXY_HEADERS: {form!r} is not a trustedproxy.Form."
    )


@pytest.mark.parametrize(
    ("category", "form", "forms"),
    [
        (Category.CLIENT, Form.PORT, "ADDRESS, Form.ADDRESS_LIST, Form.ADDRESS_COLON_"),
        (Category.SCHEME, Form.HOST, "SCHEME, Form.FLAG, Form.CF_VISITOR."),
        (Category.HOST, Form.FORWARDED, "HOST."),
        (Category.OTHER, Form.ADDRESS, "NEVER."),
    ],
)
def test_custom_header_refuses_a_form_of_another_category(
    category: Category, form: Form, forms: str
) -> None:
    """The error says which forms the category has."""
    with pytest.raises(ConfigurationError) as caught:
        ProxyHeader("X-Edge", category, form)

    assert caught.value.value is form
    assert f"a form of the category {str(category)!r}: Form.{forms}" in str(
        caught.value
    )


def test_header_cannot_be_changed() -> None:
    """It was checked when it was made."""
    header: Any = ProxyHeader("X-Edge", Category.CLIENT, Form.ADDRESS)

    for name in ("name", "category", "form", "other"):
        with pytest.raises((AttributeError, TypeError)):
            setattr(header, name, "X-Other")
    assert header == ProxyHeader("X-Edge", Category.CLIENT, Form.ADDRESS)
    assert len({header, ProxyHeader("X-Edge", Category.CLIENT, Form.ADDRESS)}) == 1


@pytest.mark.parametrize(
    "name", ["Host", "connection", "Content-Type", "content-length"]
)
def test_header_that_every_request_has_is_refused(name: str) -> None:
    """A custom header cannot be one that is there without any proxy."""
    with pytest.raises(ConfigurationError) as caught:
        ProxyHeader(name, Category.CLIENT, Form.ADDRESS)

    assert str(caught.value) == (
        f"TRUSTED_PROXY_HEADERS: {name!r} is not a header that says what a proxy saw."
    )

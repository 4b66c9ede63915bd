"""
The one table of headers: every name that is known, its category, its form.

In:  nothing.
Out: `KNOWN_HEADERS`, and `ProxyHeader` for a custom header.

Adding a header adds a row here, a case in the tests and a line in the docs.  What a
form means is in `parsing`; what a category sets is in `rules`.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum

from .exceptions import ConfigurationError


class Category(StrEnum):
    """What a header is for.  All headers of one category are synonyms."""

    CLIENT = "client"
    SCHEME = "scheme"
    HOST = "host"
    SERVER = "server"
    PORT = "port"
    MOUNT_POINT = "mount point"
    #: Never corrects anything; such a header is only removed, with ``strip="all"``.
    OTHER = "other"


class Form(StrEnum):
    """How a header writes its value down."""

    #: One address, optionally with a port.
    ADDRESS = "address"
    #: Addresses separated by commas, each proxy's appended on the right.
    ADDRESS_LIST = "address list"
    #: An address, a colon and a port; IPv6 without brackets (CloudFront).
    ADDRESS_COLON_PORT = "address:port"
    #: ``http`` or ``https``; ``ws`` and ``wss`` count as those.
    SCHEME = "scheme"
    #: ``on``, ``true``, ``1`` for https; ``off``, ``false``, ``0`` for http.
    FLAG = "flag"
    #: Exactly ``{"scheme":"http"}`` or ``{"scheme":"https"}`` (Cloudflare).
    CF_VISITOR = "cf visitor"
    #: A host with an optional port.
    HOST = "host"
    #: A host without a port.
    SERVER = "server"
    #: A port number.
    PORT = "port"
    #: A URL path.
    MOUNT_POINT = "mount point"
    #: RFC 7239: client, scheme and host in one header.
    FORWARDED = "forwarded"
    #: A form that is not read: such a header can only be removed.
    NEVER = "never read"


#: The forms in which a category can be written down by a custom header.
FORMS_OF: dict[Category, tuple[Form, ...]] = {
    Category.CLIENT: (Form.ADDRESS, Form.ADDRESS_LIST, Form.ADDRESS_COLON_PORT),
    Category.SCHEME: (Form.SCHEME, Form.FLAG, Form.CF_VISITOR),
    Category.HOST: (Form.HOST,),
    Category.SERVER: (Form.SERVER,),
    Category.PORT: (Form.PORT,),
    Category.MOUNT_POINT: (Form.MOUNT_POINT,),
    Category.OTHER: (Form.NEVER,),
}

#: `Forwarded` is a header of these three categories at once (RFC 7239 section 4).
FORWARDED_CATEGORIES = (Category.CLIENT, Category.SCHEME, Category.HOST)

# RFC 9110 section 5.6.2, token, without the underscore, which a WSGI server cannot
# distinguish from a hyphen.
_NAME = re.compile(r"[A-Za-z0-9!#$%&'*+.^`|~-]+")


# Requests have them anyway, and what they say is not for a proxy alone; the last two
# have keys of their own in an environ.
_NEVER_FORWARDING = frozenset({"host", "connection", "content-type", "content-length"})


@dataclass(frozen=True, slots=True)
class ProxyHeader:
    """
    One header that a proxy may set: its name on the wire, its category, its form.

    Raises:
        ConfigurationError:
            The name is no header name, or the category cannot have that form.
    """

    name: str
    category: Category
    form: Form

    def __post_init__(self) -> None:
        name: object = self.name
        if not isinstance(name, str) or not _NAME.fullmatch(name):
            raise ConfigurationError(
                "TRUSTED_PROXY_HEADERS",
                name,
                "a header name of letters, digits and '-'",
            )
        if name.lower() in _NEVER_FORWARDING:
            raise ConfigurationError(
                "TRUSTED_PROXY_HEADERS", name, "a header that says what a proxy saw"
            )
        if not isinstance(self.category, Category):
            raise ConfigurationError(
                "TRUSTED_PROXY_HEADERS", self.category, "a trustedproxy.Category"
            )
        if not isinstance(self.form, Form):
            raise ConfigurationError(
                "TRUSTED_PROXY_HEADERS", self.form, "a trustedproxy.Form"
            )
        forms = FORMS_OF[self.category]
        forwarded = self.category is Category.CLIENT and self.form is Form.FORWARDED
        removable = self.form is Form.NEVER
        if self.form not in forms and not forwarded and not removable:
            raise ConfigurationError(
                "TRUSTED_PROXY_HEADERS",
                self.form,
                f"a form of the category {str(self.category)!r}: "
                + ", ".join(f"Form.{form.name}" for form in forms),
            )

    @property
    def categories(self) -> tuple[Category, ...]:
        """The categories that listing this header opts in."""
        if self.form is Form.FORWARDED:
            return FORWARDED_CATEGORIES
        return (self.category,)

    @property
    def environ_key(self) -> str:
        """The header's key in a WSGI environ (RFC 3875 section 4.1.18)."""
        return environ_key(self.name)


def environ_key(name: str) -> str:
    """Spell the header *name* as a WSGI server does in the environ."""
    return "HTTP_" + name.upper().replace("-", "_")


def _rows(category: Category, form: Form, names: str) -> tuple[ProxyHeader, ...]:
    return tuple(ProxyHeader(name, category, form) for name in names.split())


KNOWN_HEADERS: tuple[ProxyHeader, ...] = (
    # RFC 7239; it opts in the categories scheme and host as well.
    *_rows(Category.CLIENT, Form.FORWARDED, "Forwarded"),
    *_rows(
        Category.CLIENT,
        Form.ADDRESS_LIST,
        "X-Forwarded-For X-Original-Forwarded-For",
    ),
    *_rows(
        Category.CLIENT,
        Form.ADDRESS,
        "X-Real-IP X-Client-IP Client-IP X-Cluster-Client-IP True-Client-IP "
        "X-True-Client-IP CF-Connecting-IP CF-Connecting-IPv6 CF-Pseudo-IPv4 "
        "Fastly-Client-IP Fly-Client-IP DO-Connecting-IP X-Azure-ClientIP "
        "X-Azure-SocketIP X-Appengine-User-IP X-Envoy-External-Address "
        "X-Vercel-Forwarded-For X-FAH-Client-IP X-Original-For X-ProxyUser-IP "
        "WL-Proxy-Client-IP Proxy-Client-IP X-Forwarded Forwarded-For",
    ),
    *_rows(Category.CLIENT, Form.ADDRESS_COLON_PORT, "CloudFront-Viewer-Address"),
    *_rows(
        Category.SCHEME,
        Form.SCHEME,
        "X-Forwarded-Proto X-Forwarded-Scheme X-Scheme X-Forwarded-Protocol "
        "X-Url-Scheme CloudFront-Forwarded-Proto Fly-Forwarded-Proto",
    ),
    *_rows(
        Category.SCHEME,
        Form.FLAG,
        "X-Forwarded-HTTPS X-Forwarded-SSL X-HTTPS Front-End-Https Fastly-SSL "
        "X-AppEngine-Https Fly-Forwarded-Ssl",
    ),
    *_rows(Category.SCHEME, Form.CF_VISITOR, "CF-Visitor"),
    # It is there on TLS alone, and its value describes a certificate.
    *_rows(Category.SCHEME, Form.NEVER, "X-ARR-SSL"),
    *_rows(
        Category.HOST,
        Form.HOST,
        "X-Forwarded-Host X-Host X-Original-Host X-Original-Forwarded-Host "
        "X-HTTP-Host-Override Forwarded-Host",
    ),
    *_rows(Category.SERVER, Form.SERVER, "X-Forwarded-Server"),
    *_rows(Category.PORT, Form.PORT, "X-Forwarded-Port Fly-Forwarded-Port"),
    *_rows(
        Category.MOUNT_POINT,
        Form.MOUNT_POINT,
        "X-Script-Name X-Forwarded-Script-Name X-Forwarded-Prefix X-Forwarded-Path "
        "Script-Name",
    ),
    *_rows(
        Category.OTHER,
        Form.NEVER,
        "X-Original-URL X-Original-URI X-Rewrite-URL X-Forwarded-Uri "
        "X-Forwarded-Method X-Forwarded-By",
    ),
)

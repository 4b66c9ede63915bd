"""
Say at ``manage.py check`` what would go wrong behind the proxy, and what to type.

In:  Django's settings.
Out: messages with stable ids; ``docs/django.md`` has a row for each of them.

What is wrong wherever a policy is used is a row of `trustedproxy.checks`, and has an id
in `IDS`.  What Django alone can see is a row of `CHECKS`: a function that looks for it,
and the words for what it finds.  An id is never used again for something else.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeAlias

from django.conf import settings as django_settings
from django.core.checks import CheckMessage, Error, Info, Warning

from trustedproxy import Category, checks
from trustedproxy.checks import Level

from .conf import HTTPS_ONLY, ConfigurationError, get_settings, list_ancestors
from .early import find_page_path
from .framework import read_framework
from .redirects import SECURITY

if TYPE_CHECKING:
    from django.apps import AppConfig

    from trustedproxy import Settings
    from trustedproxy.checks import Remark

TRUSTED_PROXY = "django_trustedproxy.middleware.TrustedProxyMiddleware"

#: Middlewares that read, on the way in, what `TRUSTED_PROXY` corrects.
READERS = frozenset(
    {
        HTTPS_ONLY,
        SECURITY,
        "corsheaders.middleware.CorsMiddleware",
        "debug_toolbar.middleware.DebugToolbarMiddleware",
        "django.contrib.auth.middleware.LoginRequiredMiddleware",
        "django.contrib.auth.middleware.RemoteUserMiddleware",
        "django.contrib.flatpages.middleware.FlatpageFallbackMiddleware",
        "django.contrib.redirects.middleware.RedirectFallbackMiddleware",
        "django.contrib.sessions.middleware.SessionMiddleware",
        "django.contrib.sites.middleware.CurrentSiteMiddleware",
        "django.middleware.cache.CacheMiddleware",
        "django.middleware.cache.FetchFromCacheMiddleware",
        "django.middleware.cache.UpdateCacheMiddleware",
        "django.middleware.common.BrokenLinkEmailsMiddleware",
        "django.middleware.common.CommonMiddleware",
        "django.middleware.csrf.CsrfViewMiddleware",
        "django.middleware.locale.LocaleMiddleware",
        "whitenoise.middleware.WhiteNoiseMiddleware",
    }
)

#: Middlewares that answer by themselves, over plain HTTP too.
ANSWERERS = frozenset(
    {
        "django.middleware.cache.CacheMiddleware",
        "django.middleware.cache.FetchFromCacheMiddleware",
        "django.middleware.common.CommonMiddleware",
        "whitenoise.middleware.WhiteNoiseMiddleware",
    }
)

_MAY_BE_RELATIVE = ("STATIC_URL", "MEDIA_URL")


@dataclass(frozen=True, slots=True)
class Project:
    """
    What the checks look at.

    Attributes:
        settings: This project's settings, validated.

        middleware:
            A row for each entry of ``MIDDLEWARE``: its path, and the paths of the class
            and its bases, so that a subclass counts as what it is.
    """

    settings: Settings
    middleware: tuple[tuple[str, frozenset[str]], ...]

    @classmethod
    def read(cls) -> Project:
        """Read Django's settings."""
        paths = django_settings.MIDDLEWARE
        return cls(
            get_settings(), tuple((path, list_ancestors(path)) for path in paths)
        )

    def find(self, path: str) -> int | None:
        """Return the index of the middleware *path*, or ``None``."""
        for i, (_, ancestry) in enumerate(self.middleware):
            if path in ancestry:
                return i
        return None

    def list_before(self, path: str, among: frozenset[str]) -> Iterator[str]:
        """Yield the middlewares before *path* that are *among* some."""
        end = self.find(path)
        for entry, ancestry in self.middleware[: end or 0]:
            if ancestry & among:
                yield entry

    @property
    def is_moved(self) -> bool:
        """Whether a header, or a stated fact, moves the application below a path."""
        stated = self.settings.policy.fixed_mount_point
        return bool(stated) or self.trusts(Category.MOUNT_POINT)

    def trusts(self, category: Category) -> bool:
        """Say whether a header of *category* is listed."""
        headers = self.settings.policy.headers
        return any(category in header.categories for header in headers)


# What is wrong: each yields, for every mistake, the word that the message is about.


def _no_middleware(project: Project) -> Iterator[str]:
    settings = project.settings
    has_work = not settings.policy.changes_nothing or settings.restrict_signals
    if has_work and project.find(TRUSTED_PROXY) is None:
        yield TRUSTED_PROXY


def _readers_before(project: Project) -> Iterator[str]:
    yield from project.list_before(TRUSTED_PROXY, READERS - {HTTPS_ONLY})


def _is_set(name: str) -> Callable[[Project], Iterator[str]]:
    def look(_project: Project) -> Iterator[str]:
        if getattr(django_settings, name):
            yield name

    return look


def _forced_mount_point(_project: Project) -> Iterator[str]:
    # An empty one forces, too.
    if django_settings.FORCE_SCRIPT_NAME is not None:
        yield "FORCE_SCRIPT_NAME"


def _relative_urls(project: Project) -> Iterator[str]:
    if project.is_moved:
        for name in _MAY_BE_RELATIVE:
            # Asked for in the usual way, the setting comes with the script prefix of
            # this moment, for good.
            url = getattr(django_settings._wrapped, name)
            if url and not url.startswith(("/", "http://", "https://")):
                yield name


def _cookie_domain(project: Project) -> Iterator[str]:
    name = "CSRF_COOKIE_DOMAIN"
    if django_settings.CSRF_USE_SESSIONS:
        name = "SESSION_COOKIE_DOMAIN"
    if (
        getattr(django_settings, name)
        and project.trusts(Category.SCHEME)
        and not project.trusts(Category.PORT)
    ):
        yield name


def _two_redirects(project: Project) -> Iterator[str]:
    if project.settings.https_only and django_settings.SECURE_SSL_REDIRECT:
        yield "SECURE_SSL_REDIRECT"


def _two_hsts_policies(project: Project) -> Iterator[str]:
    if project.settings.hsts and django_settings.SECURE_HSTS_SECONDS:
        yield "SECURE_HSTS_SECONDS"


def _https_only_first(project: Project) -> Iterator[str]:
    yield from project.list_before(TRUSTED_PROXY, frozenset({HTTPS_ONLY}))


def _answerers_before(project: Project) -> Iterator[str]:
    yield from project.list_before(HTTPS_ONLY, ANSWERERS)


def _https_only_without_middleware(project: Project) -> Iterator[str]:
    if project.settings.https_only and project.find(HTTPS_ONLY) is None:
        yield HTTPS_ONLY


def _https_only_without_setting(project: Project) -> Iterator[str]:
    if not project.settings.https_only and project.find(HTTPS_ONLY) is not None:
        yield HTTPS_ONLY


def _mount_points(project: Project) -> Iterator[str]:
    if project.settings.mount_points:
        yield "TRUSTED_PROXY_MOUNT_POINTS"


@dataclass(frozen=True, slots=True)
class Check:
    """
    One mistake.

    Attributes:
        id: Stable; what ``SILENCED_SYSTEM_CHECKS`` takes.

        look: Yields the words for what it finds.

        message: What is wrong; ``{}`` stands for the word.

        hint: What to type.

        deploy: Whether only ``check --deploy`` looks for it.
    """

    id: str
    look: Callable[[Project], Iterator[str]]
    message: str
    hint: str
    deploy: bool = False

    def run(self, project: Project) -> Iterator[CheckMessage]:
        """Yield a warning for each mistake of this kind."""
        for word in self.look(project):
            yield Warning(
                self.message.replace("{}", word),
                hint=self.hint.replace("{}", word),
                id=self.id,
            )


#: Ids of the rows of the core's table, by their codes; what is not here, Django's own
#: rows say better, or cannot be in Django.
IDS = {
    checks.CONFIGURATION_ERROR: "trustedproxy.E001",
    checks.PRELOAD_ERROR: "trustedproxy.E002",
    "every-peer": "trustedproxy.W007",
    "wide-network": "trustedproxy.W008",
    "synonyms": "trustedproxy.W009",
    "no-header": "trustedproxy.W010",
    "hsts-alone": "trustedproxy.W017",
    "exempt-proxies": "trustedproxy.W021",
    "count-alone": "trustedproxy.W024",
    "fixed-port": "trustedproxy.W025",
    "open-list": "trustedproxy.W026",
    "old-networks": "trustedproxy.W027",
    "old-list": "trustedproxy.W028",
    "scheme-unknown": "trustedproxy.W029",
    "no-proxy": "trustedproxy.W030",
    "report-only": "trustedproxy.I002",
}
_MESSAGES: dict[Level, Callable[..., CheckMessage]] = {
    Level.ERROR: Error,
    Level.WARNING: Warning,
    Level.HINT: Info,
}

CHECKS: tuple[Check, ...] = (
    Check(
        "trustedproxy.W001",
        _no_middleware,
        "The settings have no effect: {} is not in MIDDLEWARE.",
        "Make it the first line of MIDDLEWARE: MIDDLEWARE = ['{}', ...]. Where "
        "wsgi.py or asgi.py wraps the application with "
        "django_trustedproxy.entrypoints, add 'trustedproxy.W001' to "
        "SILENCED_SYSTEM_CHECKS instead.",
    ),
    Check(
        "trustedproxy.W002",
        _readers_before,
        "{} runs before " + TRUSTED_PROXY + " and reads what that has not yet "
        "corrected.",
        "Move '" + TRUSTED_PROXY + "' to the first line of MIDDLEWARE, above '{}'.",
    ),
    Check(
        "trustedproxy.W003",
        _is_set("SECURE_PROXY_SSL_HEADER"),
        "{} lets Django read the scheme from a header by itself, whoever sent it.",
        "Remove {} and list the header instead: TRUSTED_PROXY_HEADERS = [..., "
        "'X-Forwarded-Proto'].",
    ),
    Check(
        "trustedproxy.W004",
        _is_set("USE_X_FORWARDED_HOST"),
        "{} lets Django read the host from X-Forwarded-Host by itself, whoever sent "
        "it.",
        "Remove {} and list the header instead: TRUSTED_PROXY_HEADERS = [..., "
        "'X-Forwarded-Host'].",
    ),
    Check(
        "trustedproxy.W005",
        _is_set("USE_X_FORWARDED_PORT"),
        "{} lets Django read the port from X-Forwarded-Port by itself, whoever sent "
        "it.",
        "Remove {} and list the header instead: TRUSTED_PROXY_HEADERS = [..., "
        "'X-Forwarded-Port'].",
    ),
    Check(
        "trustedproxy.W006",
        _forced_mount_point,
        "{} fixes the mount point, so that no trusted header and no "
        "TRUSTED_PROXY_FIXED_MOUNT_POINT can set it.",
        "Use one of the two. If your proxy names the mount point in a header, remove "
        "{} and list that: TRUSTED_PROXY_HEADERS = [..., 'X-Forwarded-Prefix']. If no "
        "header names it, TRUSTED_PROXY_FIXED_MOUNT_POINT = '/app' holds for requests "
        "of the proxy, around Django too. Keep {} where commands and tasks build URLs, "
        "which no request corrects, and add 'trustedproxy.W006' to "
        "SILENCED_SYSTEM_CHECKS.",
    ),
    Check(
        "trustedproxy.W011",
        _relative_urls,
        "{} is relative, and Django puts the mount point of whatever asks first in "
        "front of it, for good.",
        "Begin {} with a slash and the mount point, as in '/app/static/', or with "
        "https:// and a host. Where WhiteNoise serves the files: "
        "WHITENOISE_STATIC_PREFIX = '/static/' as well.",
    ),
    Check(
        "trustedproxy.W012",
        _cookie_domain,
        "{} is set, so the referrer of a secure form is compared with the server's "
        "port, which no trusted header corrects.",
        "Let the proxy send its port and list the header: TRUSTED_PROXY_HEADERS = "
        "[..., 'X-Forwarded-Port']; or remove {}.",
    ),
    Check(
        "trustedproxy.W013",
        _two_redirects,
        "TRUSTED_PROXY_HTTPS_ONLY and {} both redirect to HTTPS.",
        "Remove {}, and add 'security.W008' to SILENCED_SYSTEM_CHECKS.",
    ),
    Check(
        "trustedproxy.W014",
        _two_hsts_policies,
        "TRUSTED_PROXY_HSTS_POLICY and {} both set Strict-Transport-Security, and "
        "Django's wins.",
        "Remove {}, and add 'security.W004' to SILENCED_SYSTEM_CHECKS.",
    ),
    Check(
        "trustedproxy.W015",
        _https_only_first,
        "{} runs before " + TRUSTED_PROXY + ", so it sees the scheme of the last hop "
        "and redirects for ever.",
        "Move '{}' below '" + TRUSTED_PROXY + "' in MIDDLEWARE.",
    ),
    Check(
        "trustedproxy.W016",
        _answerers_before,
        "{} runs before " + HTTPS_ONLY + " and may answer over plain HTTP.",
        "Move '" + HTTPS_ONLY + "' above '{}', right below '" + TRUSTED_PROXY + "'.",
    ),
    Check(
        "trustedproxy.W018",
        _https_only_without_middleware,
        "TRUSTED_PROXY_HTTPS_ONLY is set, but nothing redirects: {} is not in "
        "MIDDLEWARE.",
        "Type '{}' below '" + TRUSTED_PROXY + "' in MIDDLEWARE. Where wsgi.py or "
        "asgi.py wraps the application with django_trustedproxy.entrypoints, add "
        "'trustedproxy.W018' to SILENCED_SYSTEM_CHECKS instead.",
    ),
    Check(
        "trustedproxy.W019",
        _https_only_without_setting,
        "{} is in MIDDLEWARE, but has no effect without TRUSTED_PROXY_HTTPS_ONLY.",
        "Type TRUSTED_PROXY_HTTPS_ONLY = True, or remove '{}' from MIDDLEWARE.",
    ),
    Check(
        "trustedproxy.W020",
        _mount_points,
        "{} is not served by MIDDLEWARE, which cannot stream, but only by the wrapper "
        "around the application.",
        "Type in wsgi.py: application = wrap_wsgi(get_wsgi_application()), or in "
        "asgi.py: application = wrap_asgi(get_asgi_application()), from "
        "django_trustedproxy.entrypoints. Then add 'trustedproxy.W020' to "
        "SILENCED_SYSTEM_CHECKS.",
    ),
)

AppConfigs: TypeAlias = "Sequence[AppConfig] | None"


def check_settings(app_configs: AppConfigs, **_kwargs: Any) -> list[CheckMessage]:
    """Look for what is wrong wherever the project runs."""
    try:
        project = Project.read()
    except ConfigurationError as error:
        return [describe(checks.describe_error(error))]
    return _run(project, deploy=False)


def check_deployment(app_configs: AppConfigs, **_kwargs: Any) -> list[CheckMessage]:
    """Look for what is wrong where others can reach the project."""
    try:
        project = Project.read()
    except ConfigurationError:
        # `check_settings` has said it.
        return []
    return _run(project, deploy=True)


def _run(project: Project, *, deploy: bool) -> list[CheckMessage]:
    subject = checks.Subject(project.settings, read_framework())
    remarks = [
        remark
        for check in checks.CHECKS
        if check.deploy is deploy and check.code in IDS
        for remark in check.run(subject)
    ]
    own = (check for check in CHECKS if check.deploy is deploy)
    messages = [
        *map(describe, remarks),
        *(message for check in own for message in check.run(project)),
    ]
    path = find_page_path()
    for message in messages if path is not None else ():
        message.hint = f"{message.hint} {_LOOK.format(path)}"
    return messages


#: What leads from a message to the page, in a project that has it.
_LOOK = "The page at {} shows what becomes of a request."


def describe(remark: Remark) -> CheckMessage:
    """Say a *remark* of the core's in Django's way."""
    message = _MESSAGES[remark.level]
    return message(remark.message, hint=remark.hint, id=IDS[remark.code])

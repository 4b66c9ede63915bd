"""
Mistakes about the host, the port and the mount point.

In:  a `Situation`.
Out: `Advice`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..headers import Category, Form
from ..log import shorten
from ..parsing.values import BLANKS, DEFAULT_PORTS, split_host, strip_mount_point
from ..setting_lines import write_line
from .situation import Advice
from .words import describe_unlisted

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ..headers import ProxyHeader
    from .situation import Situation


def advise_unlisted_mount_point(situation: Situation) -> Iterator[Advice]:
    """A trusted peer names a mount point, and the header is not listed."""
    if not situation.decision.peer_trusted or situation.opts_in(Category.MOUNT_POINT):
        return
    for header in situation.list_sent(Category.MOUNT_POINT):
        # The root of the site is where an application is without it.
        if situation.headers[header.name].strip(BLANKS + "/"):
            yield _describe_unlisted(situation, header, "mount-point-not-listed")
            return


def _describe_unlisted(situation: Situation, header: ProxyHeader, code: str) -> Advice:
    return Advice(
        code,
        header.name,
        describe_unlisted(
            situation.decision.peer, header.name, situation.headers[header.name]
        )
        + " If your proxy sets it, add it; else let your proxy remove it.",
        situation.write_headers(header),
    )


#: What a header may say that nothing else makes up for.
_SAID = (Category.CLIENT, Category.HOST, Category.PORT)


def advise_unlisted_header(situation: Situation) -> Iterator[Advice]:
    """A trusted peer says something that no listed header does, and that is needed."""
    if not situation.is_read:
        return
    for category in _SAID:
        if situation.opts_in(category):
            continue
        sent = situation.list_sent(category)
        for header in [h for h in sent if h.form is not Form.FORWARDED][:1]:
            value = situation.headers[header.name].strip(BLANKS)
            if _is_needed(situation, category, value):
                yield _describe_unlisted(situation, header, "header-not-listed")


def _is_needed(situation: Situation, category: Category, value: str) -> bool:
    """Say whether the application lacks what a header says; a client it always does."""
    if category is Category.HOST:
        return value.lower() != str(situation.decision.host).lower()
    return category is Category.CLIENT or _is_port_needed(situation, value)


def _is_port_needed(situation: Situation, port: str) -> bool:
    """Say whether URLs lack a *port* that a header names."""
    decision = situation.decision
    split = split_host(decision.host or "")
    has_port = split is not None and split[1] is not None
    return not has_port and port != DEFAULT_PORTS.get(decision.scheme)


def advise_mount_point_in_path(situation: Situation) -> Iterator[Advice]:
    """The proxy leaves the mount point in the path, and nothing takes it off."""
    decision = situation.decision
    mount_point = decision.url_parts.get("mount_point")
    if not mount_point or situation.policy.strip_mount_point:
        return
    path = decision.connection.path
    if strip_mount_point(path, mount_point) == path:
        return
    yield Advice(
        "mount-point-in-path",
        decision.winners.get(Category.MOUNT_POINT),
        f"the path {shorten(path)} begins with the mount point "
        f"{shorten(mount_point)}, which nothing takes off, so that the application "
        f"looks for it below {shorten(mount_point)} once more. If your proxy leaves "
        f"the mount point in the path, set TRUSTED_PROXY_STRIP_MOUNT_POINT.",
        (write_line("TRUSTED_PROXY_STRIP_MOUNT_POINT", True),),
    )


def advise_refused_host(situation: Situation) -> Iterator[Advice]:
    """The framework refuses the host, and answers 400."""
    decision, host = situation.decision, situation.decision.host
    if decision.rejected is not None or situation.accepts_host(host):
        return
    setting = situation.hosts_setting
    said = f"the host {shorten(host)} is not in {setting}, so the answer is 400"
    for header in situation.list_sent(Category.HOST):
        if header.form is Form.FORWARDED or situation.is_listed(header):
            continue
        value = situation.headers[header.name].strip(BLANKS)
        if decision.peer_trusted and situation.accepts_host(value):
            yield Advice(
                "host-refused",
                header.name,
                f"{said}; {header.name}: {shorten(value)} would be taken. If your "
                f"proxy sets that header whatever a client sent, list it.",
                situation.write_headers(header, in_place_of=Category.HOST),
            )
            return
    split = split_host(host or "")
    line = None if split is None else [*situation.allowed_hosts, split[0]]
    yield Advice(
        "host-refused",
        None,
        f"{said}. If the proxy sends a name of its own, let it hand the client's on "
        f"(nginx: proxy_set_header Host $host), or send it in X-Forwarded-Host and "
        f"list that. If it is a name of the site, add it.",
        () if line is None else (write_line(setting, line),),
    )


def advise_default_port(situation: Situation) -> Iterator[Advice]:
    """The host names the scheme's own port, which browsers leave out of ``Origin``."""
    decision = situation.decision
    split = split_host(decision.host or "")
    if not situation.is_read or situation.policy.port_in_host or split is None:
        return
    if split[1] is None or split[1] != DEFAULT_PORTS.get(decision.scheme):
        return
    yield Advice(
        "default-port-in-host",
        None,
        f"the host {shorten(decision.host)} names the port that {decision.scheme} has "
        "anyway. Browsers leave it out of Origin, so that a check of the origin "
        "(CSRF) fails. Let TRUSTED_PROXY_PORT_IN_HOST take it off.",
        (write_line("TRUSTED_PROXY_PORT_IN_HOST", True),),
    )

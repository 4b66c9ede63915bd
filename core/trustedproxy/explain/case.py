"""
One request that is being explained: what every step of it looks at.

In:  settings, a request, what is known of the framework.
Out: `Case`, with the decision of the policy's own rules in it.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from ..advice import Situation
from ..decision import DECISION_KEY, REPORT_KEY, Decision
from ..framework import Framework
from ..headers import ProxyHeader
from ..policy import ProxyPolicy
from ..settings import Settings
from .environs import make_environ, rewrite_raw_path
from .masks import Masks
from .records import Request


@dataclass(frozen=True, slots=True)
class Case:
    """
    A request that was decided, and everything that the sentences about it need.

    Attributes:
        settings: What is in force.

        request: The request; the policy's secrets are masked in it.

        framework: What the application does by itself.

        masks: What is not shown.

        misplaced: Where a secret stood that does not belong there.

        sent: Header name in lower case → its value.

        known: Header name in lower case → the header, for all that are known.

        decision: What the policy decided.

        before: The environ of the request; the policy's secrets are masked in it.

        after: The same, as the policy leaves it.

        met: What stands behind the policy meets; in report-only mode as it came.
    """

    settings: Settings
    request: Request
    framework: Framework
    masks: Masks = field(init=False)
    misplaced: list[str] = field(init=False)
    sent: dict[str, str] = field(init=False)
    known: dict[str, ProxyHeader] = field(init=False)
    decision: Decision = field(init=False)
    before: dict[str, Any] = field(init=False)
    after: dict[str, Any] = field(init=False)
    met: dict[str, Any] = field(init=False)

    def __post_init__(self) -> None:
        put = object.__setattr__
        masks = Masks(self.settings.policy)
        request, misplaced = masks.mask_request(self.request)
        sent = {name.lower(): text for name, text in request.headers.items()}
        put(self, "masks", masks)
        put(self, "request", request)
        put(self, "misplaced", misplaced)
        put(self, "sent", sent)
        put(self, "known", {h.name.lower(): h for h in self.policy.known_headers})
        put(self, "decision", self.policy.decide(request.connection, sent))
        before = masks.mask_environ(make_environ(request))
        # What an earlier policy decided is no part of this.
        for key in (DECISION_KEY, REPORT_KEY):
            before.pop(key, None)
        after = dict(before)
        self.policy.rewrite(after, self.decision)
        rewrite_raw_path(request, self.policy, self.decision, after)
        met = {**after, DECISION_KEY: self.decision}
        if self.policy.report_only:
            met = {**before, REPORT_KEY: self.decision}
        put(self, "before", before)
        put(self, "after", after)
        put(self, "met", met)

    @property
    def policy(self) -> ProxyPolicy:
        """The policy in force."""
        return self.settings.policy

    @property
    def is_read(self) -> bool:
        """Whether the headers were read, and the request goes on."""
        return self.decision.peer_trusted and self.decision.rejected is None

    def accepts_host(self, host: str | None) -> bool:
        """Say whether the framework takes *host*."""
        site = self.framework.site
        if site is None:
            return True
        environ = {**self.after, "HTTP_HOST": host}
        if host is None:
            del environ["HTTP_HOST"]
        return site.accepts_host(environ)

    def accepts_met_host(self) -> bool:
        """Say whether the framework takes the host of the request that it meets."""
        site = self.framework.site
        return site is None or site.accepts_host(self.met)

    def describe_situation(self, *, exempts: bool) -> Situation:
        """Describe the request to the advisers."""
        return Situation(
            self.policy,
            self.policy.rules,
            self.decision,
            {
                header.name: self.sent[name]
                for name, header in self.known.items()
                if name in self.sent
            },
            https_only=self.settings.https_only is not None,
            accepts_host=self.accepts_host,
            allowed_hosts=self.framework.allowed_hosts or (),
            hosts_setting=self.framework.hosts_setting,
            exempts=exempts,
        )

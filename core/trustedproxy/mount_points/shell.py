"""
What the two middlewares have in common: options, plans, and answers to failures.

In:  the arguments of a middleware; the head of a request and its client's side.
Out: what is to be done; the short answer where a backend failed, and a log record.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from http import HTTPStatus
from importlib import import_module
from typing import TYPE_CHECKING, Generic, TypeVar

from ..allowed_hosts import compile_allowed_hosts
from ..decision import DECISION_KEY, REPORT_KEY
from ..log import warn
from ..responses import refuse
from .limits import Limits
from .points import compile_mount_points
from .request_plan import name_own_headers, plan_request

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from types import ModuleType
    from typing import Unpack

    from .._types import AppliesPolicy, Environ, Scope
    from ..responses import Answer
    from .heads import BackendError, BackendRequest, ClientSide, RequestHead
    from .limits import LimitOptions
    from .points import MountPoint

App = TypeVar("App")
B = TypeVar("B")

_MISSING_EXTRA = (
    "Proxy mount points need {}, which is not installed: "
    'pip install "trustedproxy[mount]"'
)
_SENTENCES = {
    HTTPStatus.SERVICE_UNAVAILABLE: "What is behind this path has too much to do.",
    HTTPStatus.GATEWAY_TIMEOUT: "What is behind this path took too long.",
}


class MountPointsShell(ABC, Generic[App, B]):
    """
    The part of a middleware that is neither WSGI nor ASGI.

    `ProxyMountPointsMiddleware` and `ProxyMountPointsASGIMiddleware` say what the
    arguments are.
    """

    def __init__(
        self,
        app: App,
        mount_points: Mapping[str, str],
        policy: AppliesPolicy,
        *,
        allowed_hosts: Sequence[str] | str | None = None,
        **limits: Unpack[LimitOptions],
    ) -> None:
        self.app = app
        self.mount_points: tuple[MountPoint, ...] = compile_mount_points(mount_points)
        self.policy = policy
        self.allowed_hosts: tuple[str, ...] | None = compile_allowed_hosts(
            allowed_hosts
        )
        self.limits: Limits = Limits(**limits)
        self._own_headers = name_own_headers(policy)
        self._prepare()
        if any(row.scheme == "https" for row in self.mount_points):
            # Now, so that no request waits for it.
            self.limits.find_ssl_context()

    @abstractmethod
    def _prepare(self) -> None:
        """Load what this middleware stands on, and make room for its connections."""

    @abstractmethod
    def _own_backends(self) -> dict[MountPoint, B]:
        """Give the backends whose connections this process or event loop owns."""

    @abstractmethod
    def _make_backend(self, mount_point: MountPoint) -> B:
        """Make a backend that has no connection yet."""

    def find_backend(self, mount_point: MountPoint) -> B:
        """Find the backend of a mount point, with its connections."""
        backends = self._own_backends()
        backend = backends.get(mount_point)
        if backend is None:
            # Two threads may make one each; both are to use the same.
            made = self._make_backend(mount_point)
            backend = backends.setdefault(mount_point, made)
        return backend

    def plan(
        self, head: RequestHead, client: ClientSide
    ) -> BackendRequest | Answer | None:
        """Plan a request: for a backend, answered here, or for the application."""
        return plan_request(
            self.mount_points, head, client, self._own_headers, self.allowed_hosts
        )

    def was_applied(self, holder: Environ | Scope) -> bool:
        """Say whether the policy, or another one that decides, was applied before."""
        if self.policy.report_only:
            return DECISION_KEY in holder or REPORT_KEY in holder
        return DECISION_KEY in holder

    def answer_failure(self, request: BackendRequest, error: BackendError) -> Answer:
        """Log that a backend failed, and say so in a page that gives nothing away."""
        where = request.mount_point
        warn(
            "mount-point",
            where.url,
            "The backend %s of the mount point %s failed: %s",
            where.url,
            where.path + "/",
            error,
        )
        sentence = "What is behind this path does not answer."
        return refuse(error.status, _SENTENCES.get(error.status, sentence))


def load_client(name: str) -> ModuleType:
    """
    Load a module that stands on a library of the extra ``mount``.

    Raises:
        ImportError: It is not installed; the error says how to install it.
    """
    try:
        return import_module(f".{name}", __package__)
    except ModuleNotFoundError as error:
        raise ImportError(_MISSING_EXTRA.format(error.name)) from error

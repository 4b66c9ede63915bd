"""
Why a list of networks could not be refreshed.

In:  a reason, and what was found.
Out: `UpdateError`, which reads as a sentence and keeps its parts as attributes.

Whatever is raised, the list that was there is as it was.
"""

from __future__ import annotations

from enum import StrEnum


class Failure(StrEnum):
    """What went wrong; stable, for exit codes and tests."""

    #: Nothing says where the provider publishes its networks.
    NOT_PUBLISHED = "not-published"
    #: The HTTP client is not installed.
    CLIENT_MISSING = "client-missing"
    #: The address is not one of TLS, or no address.
    NOT_TLS = "not-tls"
    #: No connection, no valid certificate, or an answer that broke off.
    UNREACHABLE = "unreachable"
    #: An answer that is no 200; redirects are not followed.
    STATUS = "status"
    #: More bytes than are ever read.
    TOO_LARGE = "too-large"
    #: More seconds than are ever waited.
    TOO_SLOW = "too-slow"
    #: The answer is not written in the form that was expected, or holds no network.
    NOT_A_LIST = "not-a-list"
    #: A network has room for strangers.
    TOO_WIDE = "too-wide"
    #: A network is private or otherwise not on the public internet.
    NOT_PUBLIC = "not-public"
    #: More than half of the networks that were there are gone.
    SHRUNK = "shrunk"
    #: The file that is there holds something else than networks.
    NOT_OURS = "not-ours"
    #: The file cannot be read or written.
    FILE = "file"


class UpdateError(Exception):
    """
    A list of networks was not refreshed, and is as it was.

    Args:
        failure: What went wrong.

        message: What was found, and what to do, as a sentence without its full stop.
    """

    def __init__(self, failure: Failure, message: str) -> None:
        super().__init__(failure, message)
        self.failure = failure
        self.message = message

    def __str__(self) -> str:
        return f"{self.message}."

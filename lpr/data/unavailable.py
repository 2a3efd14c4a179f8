"""The error of images and files that cannot be had; apart from `fetching`, so that decoding loads no HTTP client."""

from __future__ import annotations


class Unavailable(Exception):
    """Why something cannot be fetched or read, without any secret.

    Attributes:
        attempts: over the network, that were made.
        is_temporary: whether it may succeed another time: the server could not be reached, or was too busy.
    """

    def __init__(self, reason: str, attempts: int = 0, is_temporary: bool = False) -> None:
        super().__init__(reason)
        self.attempts = attempts
        self.is_temporary = is_temporary

"""The error of images and files that cannot be had; apart from `fetching`, so that decoding loads no HTTP client."""

from __future__ import annotations


class Unavailable(Exception):
    """Why something cannot be fetched or read, without any secret, and after how many `attempts` over the network."""

    def __init__(self, reason: str, attempts: int = 0) -> None:
        super().__init__(reason)
        self.attempts = attempts

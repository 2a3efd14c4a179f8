"""Whether a file is an image or a video, by its first bytes: cameras, tools and people name files as they like.

The signatures are those of the formats' specifications, as in the list of file signatures of Wikipedia.
"""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import Literal

Kind = Literal["image", "video"]

LEAST_BYTES = 400
"""That tell what a file is: three packets of a transport stream begin in them."""

_IMAGES = (
    re.compile(rb"\xff\xd8\xff"),  # JPEG
    re.compile(rb"\x89PNG\r\n\x1a\n|\x8aMNG|GIF8[79]a"),
    re.compile(rb"RIFF....WEBP", re.DOTALL),
    re.compile(rb"BM....\x00\x00\x00\x00", re.DOTALL),
    re.compile(rb"II\*\x00|MM\x00\*|II\+\x00|MM\x00\+"),  # TIFF, BigTIFF
    re.compile(rb"\x00\x00\x00\x0cjP  |\xff\x4f\xff\x51"),  # JPEG 2000, its codestream
    re.compile(rb"P[2356]\s+(#[^\n]*\n\s*)*\d+\s"),  # PGM, PPM
    re.compile(rb"....ftyp(avi[fs]|hei[cxms]|hev[cxms]|mif1|msf1)", re.DOTALL),  # AVIF, HEIF
)
_VIDEOS = (
    re.compile(rb"....(ftyp|moov|mdat|wide|free|skip|pnot)", re.DOTALL),  # MP4, QuickTime, 3GP
    re.compile(rb"RIFF....AVI ", re.DOTALL),
    re.compile(rb"\x1a\x45\xdf\xa3"),  # Matroska, WebM
    re.compile(rb"FLV\x01|OggS|\x30\x26\xb2\x75\x8e\x66\xcf\x11"),  # Flash, Ogg, ASF (WMV)
    re.compile(rb"\x00\x00\x01[\xb3\xba]"),  # MPEG
    re.compile(rb"G.{187}G.{187}G", re.DOTALL),  # an MPEG transport stream
    re.compile(rb".{4}G.{191}G.{191}G", re.DOTALL),  # one with time codes: AVCHD's .mts
)
# What a file is taken for whose bytes tell nothing, such as a damaged one, so that opening it says what is wrong.
_SUFFIXES: dict[Kind, frozenset[str]] = {
    "image": frozenset(
        {
            *(".jpg", ".jpeg", ".jfif", ".png", ".gif", ".webp", ".bmp", ".tif", ".tiff", ".avif", ".heic", ".heif"),
            *(".jp2", ".ppm", ".pgm"),
        }
    ),
    "video": frozenset(
        {
            *(".mp4", ".m4v", ".mov", ".avi", ".mkv", ".webm", ".mpg", ".mpeg", ".wmv", ".ts", ".mts", ".m2ts", ".3gp"),
            *(".flv", ".ogv"),
        }
    ),
}


def kind_of(path: Path) -> Kind | None:
    """What a file is by its content, else by its suffix; None for neither, and for what is no regular file.

    A regular file that cannot be read is what its suffix says.
    """
    if not os.path.isfile(path):  # unlike Path.is_file, False for a name that is too long
        return None
    try:
        with path.open("rb") as file:
            start = file.read(LEAST_BYTES)
    except OSError:
        start = b""
    return kind_of_content(start) or kind_of_name(path.name)


def kind_of_name(name: str) -> Kind | None:
    """What a file is by its suffix; None for neither."""
    suffix = Path(name).suffix.lower()
    return next((kind for kind, suffixes in _SUFFIXES.items() if suffix in suffixes), None)


def kind_of_content(content: bytes) -> Kind | None:
    """What the bytes of a file, or its first 400, are; None for neither."""
    if any(signature.match(content) for signature in _IMAGES):
        return "image"
    return "video" if any(signature.match(content) for signature in _VIDEOS) else None

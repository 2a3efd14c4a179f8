"""Image files of all kinds, decoded to upright RGB images."""

from __future__ import annotations

import re
from io import BytesIO
from typing import Any

import numpy as np
import pi_heif
from PIL import ExifTags, Image, UnidentifiedImageError

from lpr.data.unavailable import Unavailable

# What images come as. Pillow opens more, some of it by running other programs.
FORMATS = ("JPEG", "PNG", "GIF", "WEBP", "BMP", "TIFF", "AVIF", "JPEG2000", "PPM", "HEIF")
pi_heif.register_heif_opener()

# EXIF 2.32, tag 0x0112: the transposition that puts an image of that orientation upright.
_TRANSPOSITIONS = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}


def decode(content: bytes, max_pixels: int | None = None) -> tuple[Image.Image, dict[str, Any]]:
    """Decode an image file.

    Args:
        content: of the file.
        max_pixels: most pixels; None for Pillow's own limit.

    Returns:
        The image, upright and RGB; and of the file stored_width, stored_height, orientation (EXIF's, 1–8) and format.

    Raises:
        Unavailable: the bytes are no image, or only the beginning of one, or one of too many pixels.
    """
    if not content:
        raise Unavailable("an empty answer")
    try:
        image: Image.Image = Image.open(BytesIO(content), formats=FORMATS)
        if max_pixels is not None and image.width * image.height > max_pixels:
            raise Unavailable(f"more pixels than data.max_pixels={max_pixels}")
        image.load()
        orientation = orientation_of(image)
        found = {
            "stored_width": image.width,
            "stored_height": image.height,
            "orientation": orientation,
            "format": image.format,
        }
        return upright(to_rgb(image), orientation), found
    except Unavailable:
        raise
    except UnidentifiedImageError:
        what = "a web page" if re.search(rb"<(!doctype|html|head|body)\b", content[:1000], re.I) else "something else"
        raise Unavailable(f"not an image but {what}") from None
    except Exception as error:  # broken bytes make Pillow's decoders raise exceptions of many kinds
        raise Unavailable(f"a broken image: {' '.join(str(error).split()) or type(error).__name__}") from None


def orientation_of(image: Image.Image) -> int:
    """The orientation in an image's EXIF, or in its XMP, 1–8; 1 where there is no valid one.

    Not `ImageOps.exif_transpose`: it writes the EXIF anew, which fails on what some cameras put there.
    """
    try:
        value = image.getexif().get(ExifTags.Base.Orientation, 1)
    except Exception:  # malformed EXIF raises exceptions of many kinds; the image is usable without
        return 1
    return value if value in _TRANSPOSITIONS else 1


def upright(image: Image.Image, orientation: int) -> Image.Image:
    """The image as it is to be looked at."""
    return image.transpose(_TRANSPOSITIONS[orientation]) if orientation in _TRANSPOSITIONS else image


def to_rgb(image: Image.Image) -> Image.Image:
    """The image in RGB: 16 bits scaled to 8, what is transparent on white.

    Raises:
        Unavailable: its pixels are floating-point.
    """
    if image.mode == "F":
        raise Unavailable("floating-point pixels, whose range is unknown")
    if image.mode.startswith("I"):
        # 16 bits, which Pillow gives as 32 for some formats; its own conversion to 8 cuts off or clips.
        grey = np.clip(np.asarray(image, dtype=np.int64), 0, 65535)
        image = Image.fromarray(((grey + 128) // 257).astype(np.uint8))
    if image.has_transparency_data:
        image = image.convert("RGBA")
        white = Image.new("RGBA", image.size, "white")
        image = Image.alpha_composite(white, image)
    return image if image.mode == "RGB" else image.convert("RGB")

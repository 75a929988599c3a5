"""Images: whether they open, and how large they are; only their header is read."""

import io
import warnings
from typing import NoReturn

from PIL import Image

from include.documents.extraction import NoTextError, Picture

_FORMATS = ("PNG", "JPEG", "GIF", "WEBP")
"""What Claude takes. Source: the media types of `Base64ImageSourceParam` in the SDK."""


def read(content: bytes) -> NoReturn:
    """Measure an image.

    Raises:
        NoTextError: Always: it is a picture, or it is damaged or too large to be one.
    """
    width, height = _measure(content)
    raise NoTextError(
        outcome="image_only",
        reason=f"The object is a picture of {width:,} by {height:,} pixels.",
        picture=Picture(len(content), width, height),
    )


def _measure(content: bytes) -> tuple[int, int]:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            with Image.open(io.BytesIO(content), formats=_FORMATS) as image:
                return image.size
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        reason = f"The picture has more than {Image.MAX_IMAGE_PIXELS:,} pixels."
        raise NoTextError(outcome="too_large", reason=reason) from error
    except (OSError, SyntaxError, ValueError) as error:
        raise NoTextError(
            outcome="corrupt", reason="The image is damaged and does not open."
        ) from error

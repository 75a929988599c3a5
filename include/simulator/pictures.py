"""Images and PDFs in a request: what the API refuses of them, and about how many tokens they are.

The complaints are worded after those of the API that people have reported; where none was found,
they are inferred.
"""

import binascii
import io
import math
import threading
import warnings
from base64 import b64decode
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pypdfium2  # type: ignore[import-untyped]  # ships no types
import pypdfium2.raw  # type: ignore[import-untyped]  # ships no types
from PIL import Image

MAX_IMAGE_BYTES = 10 << 20
MAX_EDGE_PIXELS = 8_000
"""Both of one image. Source: limits of the Messages API."""

_FORMATS = {"image/jpeg": "JPEG", "image/png": "PNG", "image/gif": "GIF", "image/webp": "WEBP"}
_MEDIA_TYPES = {"image": tuple(_FORMATS), "document": ("application/pdf",)}
_LOCKED = "The PDF specified is password protected."
_NO_PDF = "The PDF specified was not valid."
_PATCH_PIXELS = 28
_MAX_SEEN_PIXELS = 2_576
_MAX_IMAGE_TOKENS = 4_784
_PAGE_TOKENS = 2_500
"""A page of letter size as a picture; the text beside it is not counted."""

_one_at_a_time = threading.Lock()
"""Neither pdfium nor a filter of warnings is safe for threads."""


@dataclass(frozen=True)
class Block:
    """One block of a message that holds a file."""

    path: str
    kind: str
    source: dict[str, Any]

    @property
    def data(self) -> str:
        """The file in base64, as it was sent; empty if there is none."""
        data = self.source.get("data")
        return data if isinstance(data, str) else ""


class PictureError(ValueError):
    """The API refuses a block."""

    def __init__(self, *, complaint: str, field: str = "data") -> None:
        super().__init__(complaint)
        self.field = field
        self.complaint = complaint


def picture_problem(params: dict[str, Any], *, max_pages: int) -> str | None:
    """Return what the API says of the first file that it refuses, or None."""
    for block in picture_blocks(params):
        try:
            _look_at(block, max_pages=max_pages)
        except PictureError as error:
            place = f"{block.path}.{block.kind}.source.base64.{error.field}"
            return f"{place}: {error.complaint}"
    return None


def picture_tokens(block: Block) -> int:
    """Return about how many tokens a file is; none when it is refused anyway."""
    try:
        return _look_at(block)
    except PictureError:
        return 0


def picture_blocks(params: dict[str, Any]) -> Iterator[Block]:
    """Yield the blocks that hold a file in base64, whatever else the params hold."""
    for path, content in _contents(params.get("messages")):
        for position, block in enumerate(content if isinstance(content, list) else ()):
            kind = block.get("type") if isinstance(block, dict) else None
            source = block.get("source") if kind in ("image", "document") else None
            if isinstance(source, dict) and source.get("type") == "base64":
                yield Block(f"{path}.{position}", str(kind), source)


def _contents(messages: Any) -> Iterator[tuple[str, Any]]:
    for position, message in enumerate(messages if isinstance(messages, list) else ()):
        if isinstance(message, dict):
            yield f"messages.{position}.content", message.get("content")


def _look_at(block: Block, *, max_pages: float = math.inf) -> int:
    """Return the tokens of a block.

    Raises:
        PictureError: It is not what it says, or too much of it.
    """
    media_type, taken = block.source.get("media_type"), _MEDIA_TYPES[block.kind]
    if media_type not in taken:
        raise PictureError(field="media_type", complaint=f"Input should be {_either(taken)}")
    content = _decode(block.data)
    if block.kind == "document":
        return _PAGE_TOKENS * _page_count(content, max_pages)
    return _image_tokens(*_image_size(content, _FORMATS[media_type]))


def _either(names: tuple[str, ...]) -> str:
    *others, last = (f"'{name}'" for name in names)
    return f"{', '.join(others)} or {last}" if others else last


def _decode(data: str) -> bytes:
    if not data:
        raise PictureError(complaint="Field required")
    try:
        return b64decode(data, validate=True)
    except (binascii.Error, ValueError):
        raise PictureError(complaint="Input should be valid base64") from None


def _page_count(content: bytes, max_pages: float) -> int:
    with _one_at_a_time:
        try:
            document = pypdfium2.PdfDocument(content)
        except pypdfium2.PdfiumError as error:
            is_locked = error.err_code == pypdfium2.raw.FPDF_ERR_PASSWORD
            raise PictureError(complaint=_LOCKED if is_locked else _NO_PDF) from None
        count = len(document)
        is_encrypted = pypdfium2.raw.FPDF_GetSecurityHandlerRevision(document) >= 0
        document.close()
    if is_encrypted:
        raise PictureError(complaint=_LOCKED)
    if count > max_pages:
        raise PictureError(complaint=f"A maximum of {max_pages} PDF pages may be provided.")
    return count


def _image_size(content: bytes, image_format: str) -> tuple[int, int]:
    encoded_bytes = 4 * math.ceil(len(content) / 3)
    if encoded_bytes > MAX_IMAGE_BYTES:
        limit = f"{encoded_bytes} bytes > {MAX_IMAGE_BYTES} bytes"
        raise PictureError(complaint=f"image exceeds {MAX_IMAGE_BYTES >> 20} MB maximum: {limit}")
    width, height = _measure(content, image_format)
    if max(width, height) > MAX_EDGE_PIXELS:
        raise _too_many_pixels()
    return width, height


def _measure(content: bytes, image_format: str) -> tuple[int, int]:
    try:
        with _one_at_a_time, warnings.catch_warnings():
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            with Image.open(io.BytesIO(content), formats=(image_format,)) as image:
                return image.size
    except (Image.DecompressionBombError, Image.DecompressionBombWarning):
        raise _too_many_pixels() from None
    except (OSError, SyntaxError, ValueError):
        raise PictureError(complaint="Could not process image") from None


def _too_many_pixels() -> PictureError:
    complaint = (
        f"At least one of the image dimensions exceed max allowed size: {MAX_EDGE_PIXELS} pixels"
    )
    return PictureError(complaint=complaint)


def _image_tokens(width: int, height: int) -> int:
    scale = min(1, _MAX_SEEN_PIXELS / max(width, height, 1))
    columns, rows = (math.ceil(edge * scale / _PATCH_PIXELS) for edge in (width, height))
    return min(columns * rows, _MAX_IMAGE_TOKENS)

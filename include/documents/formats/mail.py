"""Mail to text: the headers people read, every text part, attachments by name."""

import re
from collections.abc import Iterator
from email import message_from_bytes
from email.errors import HeaderParseError
from email.header import decode_header
from email.message import Message

from include.documents.decoding import decode
from include.documents.extraction import NoTextError, Reading
from include.documents.formats import html

EXTRACTOR = "email"

_HEADERS = ("From", "To", "Cc", "Newsgroups", "Date", "Subject")
_SEPARATOR = re.compile(rb"(?:\A|(?<=\n\n)|(?<=\n\r\n))From \S.*\n")
_QUOTED_SEPARATOR = re.compile(rb"^>(>*From )", re.MULTILINE)
_ENCRYPTED_CONTENT = {"application/pkcs7-mime", "application/x-pkcs7-mime"}
_MIN_PLAIN_SHARE = 0.5


def read(content: bytes) -> Reading:
    """Read one message.

    Raises:
        NoTextError: Its body is encrypted.
    """
    message = message_from_bytes(content.lstrip())
    if _is_encrypted(message):
        raise NoTextError(outcome="encrypted", reason="The body of the message is encrypted.")
    pieces = (_headers(message), *_texts(message), _attachments(message))
    return Reading("\n\n".join(filter(None, pieces)), EXTRACTOR)


def read_mailbox(content: bytes) -> Reading:
    """Read an mbox file, message after message; encrypted ones count by their headers."""
    texts = []
    for raw in filter(bytes.strip, _SEPARATOR.split(content)):
        message = message_from_bytes(_QUOTED_SEPARATOR.sub(rb"\1", raw))
        pieces = (_headers(message), *_texts(message), _attachments(message))
        texts.append("\n\n".join(filter(None, pieces)))
    return Reading("\n\n\n".join(texts), EXTRACTOR)


def _is_encrypted(message: Message) -> bool:
    kind = message.get_content_type()
    is_signed_only = message.get_param("smime-type") == "signed-data"
    return kind == "multipart/encrypted" or (kind in _ENCRYPTED_CONTENT and not is_signed_only)


def _headers(message: Message) -> str:
    values = {name.lower(): value for name, value in reversed(list(message.raw_items()))}
    lines = ((name, _header_text(values.get(name.lower(), ""))) for name in _HEADERS)
    return "\n".join(f"{name}: {value}" for name, value in lines if value)


def _header_text(raw: str) -> str:
    """Return a header as people read it; 8-bit characters in it are allowed to be any encoding."""
    text = _decode_part(raw.encode("utf-8", "surrogateescape"), None)
    try:
        words = decode_header(text)
    except (HeaderParseError, ValueError):
        return " ".join(text.split())
    return " ".join("".join(_word_text(word, charset) for word, charset in words).split())


def _word_text(word: bytes | str, charset: str | None) -> str:
    if isinstance(word, str):
        return word
    if charset is None:  # how decode_header hands back what was not encoded
        return word.decode("raw-unicode-escape", errors="replace")
    return _decode_part(word, charset)


def _texts(part: Message) -> Iterator[str]:
    """Yield the text of every part that is shown as the message, or as one that it contains."""
    kind = part.get_content_type()
    if part.is_multipart():
        children = _children(part)
        if kind == "multipart/alternative":
            yield _best_alternative(children)
            return
        for child in children:
            if kind == "message/rfc822":
                yield _headers(child)
            yield from _texts(child)
    elif not _is_attachment(part) and part.get_content_maintype() in {"text", "multipart"}:
        text = _decode_part(_payload(part), part.get_content_charset())
        yield (html.text_of(text) if kind == "text/html" else text).strip()


def _best_alternative(children: list[Message]) -> str:
    """Return the plain text, unless it only says that the message is written in HTML."""
    texts = {child.get_content_type(): "\n\n".join(_texts(child)) for child in children}
    plain = texts.pop("text/plain", "")
    other = max(texts.values(), key=len, default="")
    return plain if len(plain) >= len(other) * _MIN_PLAIN_SHARE else other


def _attachments(message: Message) -> str:
    parts = (part for part in message.walk() if _is_attachment(part))
    lines = ((_header_text(part.get_filename() or "unnamed"), part) for part in parts)
    return "\n".join(f"[Attachment: {name} ({part.get_content_type()})]" for name, part in lines)


def _is_attachment(part: Message) -> bool:
    if part.is_multipart():
        return False
    is_named = part.get_content_maintype() != "text" and part.get_filename() is not None
    return is_named or part.get_content_disposition() == "attachment"


def _children(part: Message) -> list[Message]:
    payload = part.get_payload()
    return [child for child in payload if isinstance(child, Message)] if payload else []


def _payload(part: Message) -> bytes:
    payload = part.get_payload(decode=True)
    return payload if isinstance(payload, bytes) else b""


def _decode_part(content: bytes, charset: str | None) -> str:
    try:
        return decode(content, charset)[0]
    except NoTextError:
        return content.decode("latin-1")

"""Mail to text: the headers people read, every part that is text, other attachments by name."""

import re
from collections.abc import Iterator
from email.errors import HeaderParseError
from email.header import decode_header
from email.message import Message

from include.documents.decoding import decode
from include.documents.extraction import NoTextError, Reading
from include.documents.formats import html
from include.documents.formats.mail_source import TRANSFER_ENCODING, parse, payload_of
from include.documents.signatures import PKCS7
from include.documents.sniffing import binary_media_type, is_armored, media_type_of_key

EXTRACTOR = "email"

_HEADERS = ("From", "To", "Cc", "Newsgroups", "Date", "Subject")
_SEPARATOR = re.compile(
    rb"(?:\A|^)From (?:\S+[ \t]+)?(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun)\b.*\n"
    rb"|(?:\A|(?<=\n\n)|(?<=\n\r\n))From \S.*\n(?=>?[A-Za-z][A-Za-z0-9-]*:|>From )"
    rb"|\AFrom \S.*\n",
    re.MULTILINE,
)
"""What begins a message in a mailbox; sentences that begin with the word do not."""
_QUOTED_SEPARATOR = re.compile(rb"^>(>*From )", re.MULTILINE)
_ENCRYPTED_CONTENT = {"application/pkcs7-mime", "application/x-pkcs7-mime"}
_UNSEEN = {"text/css", "text/ecmascript", "text/javascript", "text/x-amp-html"}
_MIN_PLAIN_SHARE = 0.5
_OTHER_TEXTS = {"application/json", "application/xhtml+xml", "application/xml"}
_NAMED_TEXTS = {
    "application/json",
    "application/jsonl",
    "application/xml",
    "text/csv",
    "text/html",
    "text/markdown",
    "text/plain",
}
_PAGES = {"application/xhtml+xml", "text/html"}
_PAGE = re.compile(r"\s*<(?:!doctype\s+html|html)\b", re.IGNORECASE)
_MAX_ENCODED_HEADER = 100_000
"""Longer headers are read as they stand: decoding takes the square of their length."""


def read(content: bytes) -> Reading:
    """Read one message.

    Raises:
        NoTextError: Its body is encrypted, or it has more parts than anybody sends.
    """
    message = parse(content)
    texts = list(_texts(message))
    if _is_encrypted(message) or (texts and is_armored("\n".join(texts))):
        raise NoTextError(outcome="encrypted", reason="The body of the message is encrypted.")
    return Reading(_joined(_headers(message), *texts, _attachments(message)), EXTRACTOR)


def read_mailbox(content: bytes) -> Reading:
    """Read an mbox file, message after message; encrypted ones count by their headers."""
    messages = filter(bytes.strip, _SEPARATOR.split(content))
    texts = (_text(parse(_QUOTED_SEPARATOR.sub(rb"\1", message))) for message in messages)
    return Reading("\n\n\n".join(texts), EXTRACTOR)


def _text(message: Message) -> str:
    return _joined(_headers(message), *_texts(message), _attachments(message))


def _joined(*pieces: str) -> str:
    return "\n\n".join(filter(None, pieces))


def _is_encrypted(message: Message) -> bool:
    kind = message.get_content_type()
    is_signed_only = message.get_param("smime-type") == "signed-data"
    if kind == "application/octet-stream":
        return binary_media_type(payload_of(message)) == PKCS7
    return kind == "multipart/encrypted" or (kind in _ENCRYPTED_CONTENT and not is_signed_only)


def _headers(message: Message) -> str:
    values = {name.lower(): value for name, value in reversed(list(message.raw_items()))}
    lines = ((name, _header_text(values.get(name.lower(), ""))) for name in _HEADERS)
    return "\n".join(f"{name}: {value}" for name, value in lines if value)


def _header_text(raw: str) -> str:
    """Return a header as people read it; 8-bit characters in it are allowed to be any encoding."""
    text = _decode_word(raw.encode("utf-8", "surrogateescape"), None)
    try:
        words = decode_header(text) if len(text) <= _MAX_ENCODED_HEADER else [(text, None)]
    except (HeaderParseError, ValueError):
        words = [(text, None)]
    return " ".join("".join(_word_text(word, charset) for word, charset in words).split())


def _word_text(word: bytes | str, charset: str | None) -> str:
    if isinstance(word, str):
        return word
    if charset is None:  # how decode_header hands back what was not encoded
        return word.decode("raw-unicode-escape", errors="replace")
    return _decode_word(word, charset)


def _decode_word(word: bytes, charset: str | None) -> str:
    try:
        return decode(word, charset)[0]
    except NoTextError:
        return word.decode("latin-1")


def _texts(part: Message) -> Iterator[str]:
    """Yield the text of every part that is shown as the message, or as one that it contains."""
    kind = part.get_content_type()
    if not part.is_multipart():
        if _is_text(part):
            yield _leaf_text(part)
    elif kind == "multipart/alternative":
        yield _best_alternative(_children(part))
    elif kind == "message/rfc822":
        for message in _children(part):
            yield _text_of_forwarded(message, part[TRANSFER_ENCODING])
    else:
        for child in _children(part):
            if kind == "message/delivery-status":
                yield "\n".join(
                    f"{name}: {_header_text(str(value))}" for name, value in child.items()
                )
            yield from _texts(child)


def _text_of_forwarded(message: Message, transfer_encoding: str | None) -> str:
    if not message.keys() and transfer_encoding:  # base64 there is what the parser never expects
        message[TRANSFER_ENCODING] = transfer_encoding
        message = parse(payload_of(message))
    return _joined(_headers(message), *_texts(message))


def _best_alternative(children: list[Message]) -> str:
    """Return the plain text, unless it only says that the message is written in HTML."""
    texts = {child.get_content_type(): "\n\n".join(_texts(child)) for child in children}
    plain = texts.pop("text/plain", "")
    pages = [text for kind, text in texts.items() if kind.startswith(("text/html", "multipart/"))]
    page = max(pages or texts.values(), key=len, default="") if pages or not plain else ""
    return plain if len(plain) >= len(page) * _MIN_PLAIN_SHARE else page


def _attachments(message: Message) -> str:
    parts = (part for part in message.walk() if not part.is_multipart() and not _is_text(part))
    return "\n".join(_label(part) for part in parts if _is_attachment(part))


def _label(part: Message) -> str:
    name = _header_text(part.get_filename() or "unnamed")
    return f"[Attachment: {name} ({part.get_content_type()})]"


def _is_text(part: Message) -> bool:
    kind = part.get_content_type()
    if kind == "application/octet-stream":  # what a program says that does not know
        name = part.get_filename()
        return payload_of(part).isascii() if not name else media_type_of_key(name) in _NAMED_TEXTS
    is_text_by_name = part.get_content_maintype() in {"text", "multipart"}
    return (is_text_by_name and kind not in _UNSEEN) or kind in _OTHER_TEXTS


def _is_attachment(part: Message) -> bool:
    return part.get_filename() is not None or part.get_content_disposition() == "attachment"


def _children(part: Message) -> list[Message]:
    payload = part.get_payload()
    return [child for child in payload if isinstance(child, Message)] if payload else []


def _leaf_text(part: Message) -> str:
    """Return the text of a part; that of an attachment below its name."""
    content = payload_of(part)
    is_page = part.get_content_type() in _PAGES
    declared = part.get_content_charset() or (html.declared_encoding(content) if is_page else None)
    try:
        text, _ = decode(content, declared)
    except NoTextError:
        return _label(part)
    text = (html.text_of(text) if is_page or _PAGE.match(text) else text).strip()
    is_attached = part.get_content_disposition() == "attachment"
    return f"{_label(part)}\n{text}" if is_attached else text

"""Mail from bytes to parts, and each part to its bytes, whatever their writer got wrong."""

import re
from email import message_from_bytes
from email._policybase import Compat32
from email.message import Message

from include.documents.decoding import decode
from include.documents.extraction import NoTextError

TRANSFER_ENCODING = "Content-Transfer-Encoding"

_MAX_PARTS = 10_000
_MAX_PARAMETERS = 5_000
"""Longer headers about content are cut: their parser takes the square of their length."""
_MAX_SPACE_SHARE = 0.08
"""In base64 there are none; in words that claim to be base64 there are more."""
_WIDE_MARKS = (b"\xff\xfe", b"\xfe\xff")
_MARK = b"\xef\xbb\xbf"
_BOUNDARY = re.compile(r"\A\s*(?:.*\n){0,20}?--([^\s-]\S{0,69}|-+\S{1,60})\s*\nContent-", re.I)
_TOKEN = re.compile(r"[\w-]+")
_FOOTER = re.compile(r"^(?:[_-]{4,}|[^\s=]+ [^\s=]+ [^\s=]+).*", re.MULTILINE | re.DOTALL)
"""What a mailing list puts below a message without looking at how that is encoded."""


class _Policy(Compat32):
    """The parser's own rules, with headers of a length that it can cope with."""

    def header_source_parse(self, sourcelines: list[str]) -> tuple[str, str]:
        name, value = super().header_source_parse(sourcelines)
        is_about_content = name.lower().startswith("content-")
        return name, value[:_MAX_PARAMETERS] if is_about_content else value


def parse(content: bytes) -> Message:
    """Return the message that `content` holds.

    Raises:
        NoTextError: It has more parts than anybody sends.
    """
    message = _parse(_narrow(content))
    boundary = _unannounced_boundary(message)
    if boundary is None:
        return message
    del message["Content-Type"]
    message["Content-Type"] = f'multipart/mixed; boundary="{boundary}"'
    head = "".join(f"{name}: {value}\n" for name, value in message.raw_items())
    return _parse(f"{head}\n{_raw(message)}".encode("utf-8", "surrogateescape"))


def payload_of(part: Message) -> bytes:
    """Return the bytes of a part before it was made fit for mail."""
    token = _TOKEN.search(str(part.get(TRANSFER_ENCODING, "")))
    encoding = token[0].lower() if token else ""
    footer = ""
    if TRANSFER_ENCODING in part:
        part.replace_header(TRANSFER_ENCODING, encoding)
    if encoding == "base64":
        footer = _cut_footer(part)
        if _has_spaces(part):
            del part[TRANSFER_ENCODING]
    payload = part.get_payload(decode=True)
    content = payload if isinstance(payload, bytes) else b""
    return content + footer.encode("utf-8", "surrogateescape")


def _parse(content: bytes) -> Message:
    count = 0

    def make_part(**options: object) -> Message:
        nonlocal count
        count += 1
        if count > _MAX_PARTS:
            reason = f"The message has more than {_MAX_PARTS:,} parts."
            raise NoTextError(outcome="too_large", reason=reason)
        return Message(**options)  # type: ignore[arg-type]  # the parser passes its policy through

    return message_from_bytes(content, _class=make_part, policy=_Policy())


def _narrow(content: bytes) -> bytes:
    """Return a message in bytes that begin with ASCII, as all headers do."""
    if content.startswith(_WIDE_MARKS):
        return decode(content)[0].lstrip("\ufeff").encode("utf-8", "replace")
    return content.removeprefix(_MARK).lstrip()


def _unannounced_boundary(message: Message) -> str | None:
    """Return what really separates the parts where the headers name something else."""
    is_announced = "multipart" in str(message.get("Content-Type", "")).lower()
    if not is_announced or message.is_multipart():
        return None
    found = _BOUNDARY.match(_raw(message))
    return found[1] if found else None


def _cut_footer(part: Message) -> str:
    """Take plain words off the end of base64 and return them."""
    raw = _raw(part)
    footer = _FOOTER.search(raw)
    if footer is None or not raw[: footer.start()].strip():
        return ""
    part.set_payload(raw[: footer.start()])
    return f"\n{footer[0]}"


def _has_spaces(part: Message) -> bool:
    """Return whether words stand where base64 should."""
    raw = _raw(part)
    return raw.count(" ") > len(raw) * _MAX_SPACE_SHARE


def _raw(part: Message) -> str:
    try:
        return str(part.get_payload())
    except ValueError:  # a charset that is not even a name
        return ""

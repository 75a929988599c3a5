import pytest

from include.documents.sniffing import binary_media_type, media_type_of_key, text_media_type
from tests.unit.documents.samples import make_mail, make_pdf


@pytest.mark.parametrize(
    ("key", "media_type"),
    [
        ("a/b.PDF", "application/pdf"),
        ("a.json.gz", "application/json"),
        ("a.b/c", "application/octet-stream"),
        ("x.exe", "application/octet-stream"),
    ],
)
def test_key_promises_a_media_type(key: str, media_type: str) -> None:
    assert media_type_of_key(key) == media_type


@pytest.mark.parametrize(
    ("content", "media_type"),
    [
        (make_pdf("x"), "application/pdf"),
        (b"junk before\n" + make_pdf("x"), "application/pdf"),
        (b"\x1f\x8b\x08rest", "application/gzip"),
        (b"\x89PNG\r\n\x1a\nrest", "image/png"),
        (b"RIFF1234WEBPrest", "image/webp"),
        (b"{\\rtf1 words}", "application/rtf"),
        (b"plain words", None),
        (b"a note on %PDF- files", None),
    ],
)
def test_signature_tells_binary_formats(content: bytes, media_type: str | None) -> None:
    assert binary_media_type(content) == media_type


@pytest.mark.parametrize(
    ("content", "key", "media_type"),
    [
        (b"<!-- x --><!DOCTYPE html><p>", "page.txt", "text/html"),
        ("<html><p>".encode("utf-16"), "page", "text/html"),
        (b"<p>fragment", "page.htm", "text/html"),
        (b"<h1>in Markdown</h1>", "readme.md", "text/markdown"),
        (b"<?xml version='1.0'?><a/>", "feed", "application/xml"),
        (b"<?xml version='1.0'?><html><p/>", "page.xml", "text/html"),
        (b'{"a": 1}', "data", "application/json"),
        (b"[not](json)", "notes", "text/plain"),
        (b"[" * 100_000, "deep", "text/plain"),
        (b'{"a": 1}\n{"a": 2}', "data.jsonl", "application/jsonl"),
        (make_mail("x"), "INBOX/12", "message/rfc822"),
        (b"PEP: 1\nTitle: x\nDate: y\n\nwords", "pep-0001.txt", "text/plain"),
        (b"From: me\nTo: you\n\nDear all", "letter.txt", "text/plain"),
        (b"no header at all", "note.eml", "text/plain"),
        (b"From a@b Mon\nFrom: x\n\nwords", "mail", "application/mbox"),
        (b"From here on there are words.\nReally.", "essay", "text/plain"),
        (b"words", "wrong.pdf", "text/plain"),
        (b"words", "wrong.docx", "text/plain"),
    ],
)
def test_text_is_told_by_content_then_by_key(content: bytes, key: str, media_type: str) -> None:
    assert text_media_type(content, key) == media_type

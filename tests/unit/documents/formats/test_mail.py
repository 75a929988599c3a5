from email.message import EmailMessage

import pytest

from include.documents.extraction import NoTextError
from include.documents.formats.mail import read, read_mailbox
from tests.unit.documents.samples import make_mail


def _body(content: bytes) -> str:
    return read(content).text.partition("\n\n")[2]


def test_encoded_headers_are_spelled_out() -> None:
    content = (
        b"FROM: =?iso-8859-1?q?J=F6rg?= <j@example.org>\n"
        b"Subject: =?utf-8?b?4pyT?= na\xc3\xafve\n =?broken?x?\n"
        b"X-Unread: yes\n\nbody"
    )
    assert read(content).text == (
        "From: Jörg <j@example.org>\nSubject: ✓ naïve =?broken?x?\n\nbody"
    )


@pytest.mark.parametrize(
    ("charset", "text"),
    [
        ("iso-2022-jp", "日本語のテキスト"),
        ("ks_c_5601-1987", "한국어 텍스트"),
        ("koi8-r", "Привет"),
    ],
)
def test_body_is_read_in_its_charset(charset: str, text: str) -> None:
    codec = "cp949" if charset.startswith("ks_c") else charset
    head = f"Content-Type: text/plain; charset={charset}\n\n".encode()
    assert read(head + text.encode(codec)).text == text


@pytest.mark.parametrize(
    ("plain", "html", "body"),
    [
        ("The same words.", "<p>The same <b>words</b>.", "The same words."),
        ("See HTML.", "<p>All that matters is only here.", "All that matters is only here."),
        ("", "<p>Words", "Words"),
    ],
)
def test_one_of_the_alternatives_is_read(plain: str, html: str, body: str) -> None:
    assert _body(make_mail(plain, html)) == body


def test_attachments_are_named_and_forwarded_mail_is_read() -> None:
    message = EmailMessage()
    message["Subject"] = "outer"
    message.set_content("see below")
    message.add_attachment(b"%PDF-", maintype="application", subtype="pdf", filename="Übung.pdf")
    message.add_attachment("logged words", filename="log.txt")
    inner = EmailMessage()
    inner["Subject"] = "inner"
    inner.set_content("forwarded words")
    message.add_attachment(inner)
    assert read(message.as_bytes()).text == (
        "Subject: outer\n\nsee below\n\n[Attachment: log.txt (text/plain)]\nlogged words\n\n"
        "Subject: inner\n\nforwarded words\n\n[Attachment: Übung.pdf (application/pdf)]"
    )


@pytest.mark.parametrize(
    "kind", ["multipart/encrypted", "application/pkcs7-mime; smime-type=enveloped-data"]
)
def test_encrypted_mail_is_told(kind: str) -> None:
    with pytest.raises(NoTextError) as caught:
        read(f"Subject: x\nContent-Type: {kind}\n\nMIAG".encode())
    assert caught.value.outcome == "encrypted"


def test_multipart_that_is_none_is_read_as_text() -> None:
    assert read(b"Content-Type: multipart/mixed\n\nwords").text == "words"


def test_mailbox_is_read_message_after_message() -> None:
    content = (
        b"From a@b Mon Jan 1\nSubject: one\n\n>From here on\nFrom me\n\n"
        b"From c@d Tue Jan 2\nSubject: two\n\nwords\n"
    )
    assert read_mailbox(content).text == (
        "Subject: one\n\nFrom here on\nFrom me\n\n\nSubject: two\n\nwords"
    )

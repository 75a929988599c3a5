"""Mail and mailboxes as they arrive: mislabelled, nested, cut, forwarded, bounced."""

import base64
from email.message import EmailMessage

from tests.unit.documents.nasty.case import Nasty
from tests.unit.documents.nasty.texts import CHINESE, GERMAN, JAPANESE, RUSSIAN

_HEAD = b"From: Ada <ada@example.org>\nTo: bob@example.org\nMessage-ID: <1@example.org>\n"


def _mail(headers: str, body: bytes) -> bytes:
    return _HEAD + headers.encode() + b"\n\n" + body


def _parts(subtype: str, *parts: str, boundary: str = "b1") -> bytes:
    body = "".join(f"--{boundary}\n{part}\n" for part in parts) + f"--{boundary}--\n"
    return _mail(
        "Subject: parts\nMIME-Version: 1.0\n"
        f'Content-Type: multipart/{subtype}; boundary="{boundary}"',
        body.encode(),
    )


def _nested(depth: int) -> bytes:
    message = EmailMessage()
    message["Subject"] = "innermost"
    message.set_content("the innermost words")
    for level in range(depth):
        outer = EmailMessage()
        outer["Subject"] = f"level {level}"
        outer["From"] = "a@example.org"
        outer.set_content(f"words of level {level}")
        outer.add_attachment(message)
        message = outer
    return message.as_bytes()


_LETTER_IN_GERMAN = GERMAN.strip()

NASTY = (
    Nasty(
        name="ASCII by its label, UTF-8 in truth",
        content=_mail("Subject: x\nContent-Type: text/plain; charset=us-ascii", GERMAN.encode()),
        key="a.eml",
        has=(_LETTER_IN_GERMAN,),
    ),
    Nasty(
        name="UTF-8 by its label, cp1252 in truth",
        content=_mail("Content-Type: text/plain; charset=utf-8", GERMAN.encode("cp1252")),
        key="a.eml",
        has=(_LETTER_IN_GERMAN,),
    ),
    Nasty(
        name="Latin-1 by its label, KOI8-R in truth, no other sign",
        content=_mail("Content-Type: text/plain; charset=unknown-8bit", RUSSIAN.encode("koi8-r")),
        key="a.eml",
        has=(RUSSIAN.strip(),),
    ),
    Nasty(
        name="GB2312 by its label, GB18030 in truth",
        content=_mail("Content-Type: text/plain; charset=gb2312", "朱镕基㐂".encode("gb18030")),
        key="a.eml",
        has=("朱镕基㐂",),
    ),
    Nasty(
        name="charset in quotes, with a comment and a semicolon",
        content=_mail("Content-Type: text/plain; charset='ISO-8859-1'; x=y", b"caf\xe9 cr\xe8me"),
        key="a.eml",
        has=("café crème",),
    ),
    Nasty(
        name="parts in different encodings",
        content=b"".join(
            (
                _HEAD,
                b"Subject: mixed\nMIME-Version: 1.0\nContent-Type: multipart/mixed; boundary=x\n\n",
                b"--x\nContent-Type: text/plain; charset=koi8-r\n\n" + RUSSIAN.encode("koi8-r"),
                b"\n--x\nContent-Type: text/plain; charset=shift_jis\n\n",
                JAPANESE.encode("shift_jis"),
                b"\n--x\nContent-Type: text/plain; charset=gbk\n"
                b"Content-Transfer-Encoding: base64\n\n",
                base64.encodebytes(CHINESE.encode("gbk")),
                b"\n--x--\n",
            )
        ),
        key="a.eml",
        has=(RUSSIAN.strip(), JAPANESE.splitlines()[0], CHINESE.splitlines()[0]),
    ),
    Nasty(
        name="subject in encoded words that split a character",
        content=_mail("Subject: =?utf-8?b?w7xiZXLD?=\n =?utf-8?b?pGxs?= ok", b"x"),
        key="a.eml",
        has=("Subject: überäll ok",),
    ),
    Nasty(
        name="subject in ISO-2022-JP",
        content=_mail("Subject: =?ISO-2022-JP?B?GyRCRnxLXBsoQg==?=", b"x"),
        key="a.eml",
        has=("Subject: 日本",),
    ),
    Nasty(
        name="subject with a wrong encoded word",
        content=_mail("Subject: =?utf-8?b?broken!?= =?x-none?q?caf=E9?= end", b"x"),
        key="a.eml",
        has=("caf", "end"),
    ),
    Nasty(
        name="name in encoded words inside quotes",
        content=b'From: "=?utf-8?q?J=C3=B6rg?=" <j@example.org>\nSubject: s\n\nhello',
        key="a.eml",
        has=("Jörg",),
    ),
    Nasty(
        name="subject as raw Latin-1",
        content=b"From: a@b\nSubject: Gr\xfc\xdfe aus K\xf6ln\n\nhello",
        key="a.eml",
        has=("Subject: Grüße aus Köln",),
    ),
    *(
        Nasty(
            name=f"parts behind {announced}",
            content=_mail(
                announced,
                b"--yy\nContent-Type: text/plain\nContent-Transfer-Encoding: base64\n\n"
                + base64.encodebytes(b"words in base64")
                + b"--yy--",
            ),
            key="a.eml",
            has=("words in base64",),
            lacks=("--yy",),
        )
        for announced in (
            "Content-Type: multipart/mixed; boundary=another",
            "Content-Type: multipart/mixed",
        )
    ),
    Nasty(
        name="base64 with the footer of a list",
        content=_mail(
            'Content-Transfer-Encoding: "Base64" (sic)',
            base64.encodebytes(b"words in base64 " * 9) + b"\n____________\nlist of the day\n",
        ),
        key="a.eml",
        has=("words in base64", "list of the day"),
    ),
    Nasty(
        name="mark in front of the headers",
        content=b"\xef\xbb\xbfFrom: a@b.c\nTo: d@e.f\nSubject: =?utf-8?q?caf=C3=A9?=\n\nwords",
        key="a.eml",
        has=("Subject: café",),
    ),
    Nasty(
        name="mail in UTF-16",
        content="From: a@b.c\nTo: d@e.f\nSubject: =?utf-8?q?caf=C3=A9?=\n\nüber".encode("utf-16"),
        key="a.eml",
        has=("Subject: café", "über"),
    ),
    Nasty(
        name="UTF-7 by its label",
        content=_mail("Content-Type: text/plain; charset=utf-7", "Größe".encode("utf-7")),
        key="a.eml",
        has=("Größe",),
    ),
    Nasty(
        name="20,000 parameters",
        content=_mail("Content-Type: text/plain" + "; a=b" * 20_000, b"few words"),
        key="a.eml",
        has=("few words",),
    ),
    Nasty(
        name="page that says it is plain",
        content=_mail(
            "Content-Type: text/plain", b"<html><body><p>words of a page</p></body></html>"
        ),
        key="a.eml",
        has=("words of a page",),
        lacks=("<p>",),
    ),
    Nasty(
        name="text that is attached as bytes",
        content=_parts(
            "mixed",
            "Content-Type: text/plain\n\nsee below",
            'Content-Type: application/octet-stream; name="n.txt"\n'
            "Content-Disposition: attachment\n\nwords of the notes",
        ),
        key="a.eml",
        has=("see below", "n.txt", "words of the notes"),
    ),
    Nasty(
        name="body that is the armour of PGP",
        content=_mail(
            "Subject: s", b"-----BEGIN PGP MESSAGE-----\n\nhQEM\n-----END PGP MESSAGE-----\n"
        ),
        key="a.eml",
        outcome="encrypted",
    ),
    Nasty(
        name="enveloped message that calls itself bytes",
        content=_mail(
            "Content-Type: application/octet-stream; name=smime.p7m\n"
            "Content-Transfer-Encoding: base64",
            b"MIAGCSqGSIb3DQEHA6CAMIACAQA=",
        ),
        key="a.eml",
        outcome="encrypted",
    ),
    Nasty(
        name="quoted-printable with damage",
        content=_mail(
            "Content-Type: text/plain; charset=utf-8\nContent-Transfer-Encoding: quoted-printable",
            b"caf=C3=A9 100=% =ZZ soft=\nbreak =",
        ),
        key="a.eml",
        has=("café", "softbreak"),
    ),
    Nasty(
        name="base64 with line noise and no padding",
        content=_mail(
            "Content-Type: text/plain; charset=utf-8\nContent-Transfer-Encoding: base64",
            b"SGVsbG8g\n!!d29ybGQ gYWdhaW4",
        ),
        key="a.eml",
        has=("Hello world again",),
    ),
    Nasty(
        name="base64 that is none",
        content=_mail("Content-Transfer-Encoding: base64", b"These are plain words, no base64."),
        key="a.eml",
        has=("These are plain words",),
    ),
    Nasty(
        name="base64 cut in the middle",
        content=_mail(
            "Content-Type: text/plain; charset=utf-8\nContent-Transfer-Encoding: base64",
            base64.encodebytes(GERMAN.encode())[:-31],
        ),
        key="a.eml",
        has=("Jeder hat das Recht",),
    ),
    Nasty(
        name="charset with a NUL in its name",
        content=_mail(
            "Content-Type: text/plain; charset=utf\0-8\nContent-Transfer-Encoding: base64",
            b"SGVsbG8g\xe9d29ybGQ=",
        ),
        key="a.eml",
        has=("Hello",),
    ),
    Nasty(
        name="transfer encoding nobody knows",
        content=_mail("Content-Transfer-Encoding: x-own", b"words as they are"),
        key="a.eml",
        has=("words as they are",),
    ),
    Nasty(
        name="mail in mail in mail",
        content=_nested(5),
        key="a.eml",
        has=("words of level 4", "words of level 0", "Subject: innermost", "the innermost words"),
    ),
    Nasty(
        name="forwarded mail in base64",
        content=_parts(
            "mixed",
            "Content-Type: text/plain\n\nsee below",
            "Content-Type: message/rfc822\nContent-Transfer-Encoding: base64\n\n"
            + base64.encodebytes(b"Subject: inner\n\ninner words").decode(),
        ),
        key="a.eml",
        has=("see below", "inner words"),
    ),
    Nasty(
        name="winmail.dat",
        content=_parts(
            "mixed",
            "Content-Type: text/plain\n\nvisible words",
            'Content-Type: application/ms-tnef; name="winmail.dat"\n'
            "Content-Transfer-Encoding: base64\n\neJ8+IjUyAQaQCAAEAAAAAAABAAEAAQeQBgAI",
        ),
        key="a.eml",
        has=("visible words", "winmail.dat"),
        lacks=("eJ8+",),
    ),
    Nasty(
        name="text as an attachment",
        content=_parts(
            "mixed",
            "Content-Type: text/plain\n\nsee the notes",
            "Content-Type: text/plain; name=notes.txt\nContent-Disposition: attachment;\n"
            " filename=notes.txt\n\nwords of the notes",
            "Content-Type: text/csv\nContent-Disposition: attachment; filename=a.csv\n\nx;y\n1;2",
            "Content-Type: text/html\nContent-Disposition: attachment; filename=a.html\n\n"
            "<p>words of the <b>page</b>",
        ),
        key="a.eml",
        has=("see the notes", "notes.txt", "words of the notes", "x;y\n1;2", "words of the page"),
        lacks=("<b>",),
    ),
    Nasty(
        name="delivery report",
        content=_parts(
            "report; report-type=delivery-status",
            "Content-Type: text/plain\n\nYour message could not be delivered.",
            "Content-Type: message/delivery-status\n\nReporting-MTA: dns; mx.example.org\n\n"
            "Final-Recipient: rfc822; nobody@example.org\nStatus: 5.1.1\n"
            "Diagnostic-Code: smtp; 550 mailbox unavailable",
            "Content-Type: text/rfc822-headers\n\nSubject: the lost one",
        ),
        key="a.eml",
        has=("could not be delivered", "550 mailbox unavailable", "the lost one"),
    ),
    Nasty(
        name="HTML alone",
        content=_mail(
            "Content-Type: text/html; charset=iso-8859-1",
            b"<html><head><meta charset=utf-8><style>p{}</style></head>"
            b"<p>Gr\xfc\xdfe &amp; K\xfcsse",
        ),
        key="a.eml",
        has=("Grüße & Küsse",),
        lacks=("<p>", "p{}"),
    ),
    Nasty(
        name="HTML of a mail whose charset only its markup tells",
        content=_mail(
            "Content-Type: text/html",
            b"<meta charset=koi8-r><p>" + "Да".encode("koi8-r"),
        ),
        key="a.eml",
        has=("Да",),
    ),
    Nasty(
        name="alternative of related of mixed",
        content=_parts(
            "alternative",
            "Content-Type: text/plain\n\n",
            'Content-Type: multipart/related; boundary="b2"\n\n--b2\nContent-Type: text/html\n\n'
            "<p>shown words<img src=cid:1>\n--b2\nContent-Type: image/png; name=x.png\n\n"
            "PNG\n--b2--",
        ),
        key="a.eml",
        has=("shown words",),
    ),
    Nasty(
        name="alternative with an invitation",
        content=_parts(
            "alternative",
            "Content-Type: text/plain\n\nPlease come to the meeting",
            "Content-Type: text/calendar; method=REQUEST\n\nBEGIN:VCALENDAR\nSUMMARY:Meeting\n"
            + "X-LONG:yes\n" * 20
            + "END:VCALENDAR",
        ),
        key="a.eml",
        has=("Please come to the meeting",),
    ),
    Nasty(
        name="boundary that never comes",
        content=_mail(
            "Content-Type: multipart/mixed; boundary=never", b"words before any boundary"
        ),
        key="a.eml",
        has=("words before any boundary",),
    ),
    Nasty(
        name="multipart cut before its end",
        content=_parts("mixed", "Content-Type: text/plain\n\nfirst words", "Content-Ty")[:-12],
        key="a.eml",
        has=("first words",),
    ),
    Nasty(
        name="no blank line after the headers",
        content=b"From: a@b.c\nTo: d@e.f\nSubject: s\nThe body begins at once.\nAnd goes on.\n",
        key="a.eml",
        has=("The body begins at once.", "And goes on."),
    ),
    Nasty(
        name="headers alone",
        content=b"From: a@b.c\nTo: d@e.f\nSubject: nothing to say\n\n",
        key="a.eml",
        has=("nothing to say",),
    ),
    Nasty(
        name="line ends of the old Macintosh",
        content=b"From: a@b.c\rTo: d@e.f\rSubject: old\rMessage-ID: <1@b>\r\rwords of old\r",
        key="a.eml",
        has=("Subject: old", "words of old"),
        lacks=("<1@b>",),
    ),
    Nasty(
        name="mail without a name that tells",
        content=b"Received: from x by y; Mon, 1 Jan 2024\nReturn-Path: <a@b>\n"
        b"From: a@b.c\nSubject: =?utf-8?q?caf=C3=A9?=\n\nwords",
        key="INBOX/1234.",
        media_type="message/rfc822",
        has=("Subject: café",),
    ),
    Nasty(
        name="separator line in front of one mail",
        content=b"From a@b Mon Jan  1 00:00:00 2024\nFrom: a@b.c\nSubject: one\n\nwords\n",
        key="a.eml",
        has=("Subject: one", "words"),
    ),
    Nasty(
        name="encrypted by PGP/MIME",
        content=_parts(
            'encrypted; protocol="application/pgp-encrypted"',
            "Content-Type: application/pgp-encrypted\n\nVersion: 1",
            "Content-Type: application/octet-stream\n\n-----BEGIN PGP MESSAGE-----",
        ),
        key="a.eml",
        outcome="encrypted",
    ),
    Nasty(
        name="signed only",
        content=_parts(
            "signed; micalg=pgp-sha256",
            "Content-Type: text/plain\n\nsigned words",
            "Content-Type: application/pgp-signature; name=s.asc\n\n-----BEGIN PGP SIGNATURE",
        ),
        key="a.eml",
        has=("signed words",),
    ),
    Nasty(
        name="web archive",
        content=b"From: <Saved by Browser>\nSubject: A saved page\nMIME-Version: 1.0\n"
        b'Content-Type: multipart/related; type="text/html"; boundary="b"\n\n'
        b"--b\nContent-Type: text/html\nContent-Transfer-Encoding: quoted-printable\n\n"
        b'<html><body><p class=3D"x">saved words</p></body></html>\n'
        b"--b\nContent-Type: text/css\nContent-Location: x.css\n\nbody { color: red }\n--b--\n",
        key="page.mht",
        has=("A saved page", "saved words"),
        lacks=("color: red",),
    ),
    Nasty(
        name="mailbox with From in the bodies",
        content=b"From a@b Mon Jan  1 00:00:00 2024\nSubject: one\n\nHello,\n\n"
        b"From here on it is one message.\nNo separator.\n\n>From quoted\n\n"
        b"From c@d Tue Jan  2 00:00:00 2024\nSubject: two\n\nsecond words\n",
        key="a.mbox",
        has=("From here on it is one message.\nNo separator.", "Subject: two", "second words"),
        lacks=("From c@d",),
    ),
    Nasty(
        name="mailbox with CRLF and an encrypted message",
        content=b"From a@b Mon Jan  1 00:00:00 2024\r\nSubject: one\r\n\r\nfirst\r\n\r\n"
        b"From c@d Tue Jan  2 00:00:00 2024\r\nSubject: two\r\n"
        b"Content-Type: multipart/encrypted; boundary=x\r\n\r\n--x--\r\n",
        key="a.mbox",
        has=("first", "Subject: two"),
    ),
    Nasty(
        name="mailbox without blank lines between messages",
        content=b"From a@b Mon Jan  1 00:00:00 2024\nSubject: one\n\nfirst\n"
        b"From c@d Tue Jan  2 00:00:00 2024\nSubject: two\n\nsecond\n",
        key="a.mbox",
        has=("Subject: one\n\nfirst", "Subject: two\n\nsecond"),
    ),
    Nasty(
        name="mailbox that holds no message", content=b"just words", key="a.mbox", has=("words",)
    ),
)

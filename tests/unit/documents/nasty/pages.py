"""HTML and XML: fragments, lies about encodings, entity bombs, pages without a body."""

from tests.unit.documents.nasty.case import Nasty
from tests.unit.documents.nasty.texts import GERMAN, RUSSIAN

_LEVELS = "".join(f'<!ENTITY e{n} "{f"&e{n - 1};" * 10}">' for n in range(1, 12))

NASTY = (
    Nasty(
        name="UTF-8 by its meta, cp1252 in truth",
        content=b"<html><meta charset=utf-8><p>" + GERMAN.encode("cp1252"),
        key="a.html",
        has=(GERMAN.strip(),),
    ),
    Nasty(
        name="Latin-1 by its meta, UTF-8 in truth",
        content=b'<html><meta charset="iso-8859-1"><p>' + GERMAN.encode(),
        key="a.html",
        has=(GERMAN.strip(),),
    ),
    Nasty(
        name="UTF-16 by its meta, cp1251 in truth",
        content=b'<html><meta charset="utf-16"><p>' + RUSSIAN.encode("cp1251"),
        key="a.html",
        has=(RUSSIAN.strip(),),
    ),
    Nasty(
        name="meta in a comment far below",
        content=b"<html><!-- "
        + b"x" * 2_000
        + b" --><meta charset=koi8-r><p>"
        + "Права человека".encode("koi8-r"),
        key="a.html",
        has=("Права человека",),
    ),
    Nasty(
        name="UTF-16 without a mark",
        content=f"<html><body><p>{RUSSIAN}</p></body></html>".encode("utf-16-le"),
        key="a.html",
        has=(RUSSIAN.strip(),),
    ),
    Nasty(
        name="XHTML whose encoding the XML declaration tells",
        content=b'<?xml version="1.0" encoding="koi8-r"?><!DOCTYPE html><html><body><p>'
        + "Да".encode("koi8-r"),
        key="a.xhtml",
        media_type="text/html",
        has=("Да",),
    ),
    Nasty(
        name="XHTML with CDATA and a self-closed script",
        content=b'<?xml version="1.0"?><html xmlns="http://www.w3.org/1999/xhtml"><head>'
        b"<title>T</title></head><body><p>seen words</p></body></html>",
        key="a.xml",
        has=("seen words",),
    ),
    Nasty(
        name="fragment without a name that tells",
        content=b"<div class=x><p>some <b>words</b></p></div>",
        media_type="text/html",
        has=("some words",),
        lacks=("<b>",),
    ),
    Nasty(
        name="table without a name that tells",
        content=b"  <TABLE><TR><TD>1<TD>2</TABLE>",
        key="export",
        media_type="text/html",
        has=("1\t2",),
    ),
    Nasty(
        name="angle brackets that are no markup",
        content=b"<ada@example.org> wrote:\n> a < b and c > d\n",
        key="note.txt",
        media_type="text/plain",
        has=("<ada@example.org> wrote", "a < b and c > d"),
    ),
    Nasty(
        name="frameset",
        content=b"<html><head><title>Frames</title></head><frameset><frame src=a>"
        b"<noframes><body>Your browser shows no frames</body></noframes></frameset></html>",
        key="a.html",
        has=("Frames", "shows no frames"),
    ),
    Nasty(
        name="words behind noscript, details and select",
        content=b"<body><noscript>no script words</noscript><details><summary>more</summary>hidden "
        b"words</details><select><option>red<option>green</select><textarea>typed</textarea>",
        key="a.html",
        has=("no script words", "hidden words", "red", "green", "typed"),
    ),
    Nasty(
        name="script that holds markup",
        content=b"<p>before<script>document.write('<p>wri' + 'tten</p>')</script><p>after",
        key="a.html",
        has=("before", "after"),
        lacks=("document.write",),
    ),
    Nasty(
        name="script never closed",
        content=b"<p>before<script>var x = 1;",
        key="a.html",
        has=("before",),
        lacks=("var x",),
    ),
    Nasty(
        name="comment never closed",
        content=b"<p>before<!-- var x = 1;",
        key="a.html",
        has=("before",),
    ),
    Nasty(
        name="conditional comments of old Outlook",
        content=b"<html><body><!--[if mso]><p>outlook only</p><![endif]--><p>for all</p>",
        key="a.html",
        has=("for all",),
        lacks=("outlook only",),
    ),
    Nasty(
        name="head never closed",
        content=b"<html><head><title>T</title><p>the words follow",
        key="a.html",
        has=("the words follow",),
    ),
    Nasty(
        name="entities of all kinds",
        content=b"<p>&amp;lt; &#x1F600; &#8364; &copy &asymp; &#0; &#xD800; &#128; &nosuch;",
        key="a.html",
        has=("&lt; 😀 € © ≈", "&nosuch;"),
    ),
    Nasty(
        name="NULs in the markup",
        content=b"<html><body><p>wo\0rds and wo\0rds</p>" + b"<p>more words</p>" * 200,
        key="a.html",
        has=("more words",),
    ),
    Nasty(name="page without words", content=b"<html><body><img src=x>", outcome="empty"),
    Nasty(
        name="page of a picture with a text instead",
        content=b"<html><body><img src=x alt='A red fox'>",
        has=("A red fox",),
    ),
    Nasty(
        name="page named PDF",
        content=b"<!doctype html><p>404 not found",
        key="a.pdf",
        media_type="text/html",
        has=("404 not found",),
        lacks=("<p>",),
    ),
    Nasty(
        name="page named JSON",
        content=b"<!doctype html><p>503",
        key="a.json",
        media_type="text/html",
        has=("503",),
    ),
    Nasty(
        name="deep but not endless",
        content=b"<div>" * 5_000 + b"deep words",
        key="a.html",
        has=("deep words",),
    ),
    *(
        Nasty(
            name=f"{tag} without end",
            content=tag * 20_000 + b"deep words",
            key="a.html",
            has=("deep words",),
        )
        for tag in (b"<div>", b"<b><i>", b"<table><tr><td>", b"<ul><li>", b"<span></div>")
    ),
    Nasty(
        name="deep and closed, with words behind",
        content=b"<div>" * 9_000 + b"deep <b>words</b>" + b"</div>" * 9_000 + b"<p>behind",
        key="a.html",
        has=("deep words\n\nbehind",),
    ),
    Nasty(
        name="tag of 20,000 attributes",
        content=b"<html><p " + b" ".join(b"a%d=x" % n for n in range(20_000)) + b">few words",
        key="a.html",
        has=("few words",),
    ),
    Nasty(
        name="XML of 20,000 attributes",
        content=b"<?xml version='1.0'?><a "
        + b" ".join(b"a%d='x'" % n for n in range(20_000))
        + b">few words</a>",
        key="a.xml",
        has=("few words",),
    ),
    Nasty(
        name="entity for a name",
        content=b"<?xml version='1.0'?><!DOCTYPE a [<!ENTITY c 'Acme Corp'>]><a>Made by &c;.</a>",
        key="a.xml",
        has=("Made by Acme Corp.",),
    ),
    Nasty(
        name="billion laughs",
        content=(
            f'<?xml version="1.0"?><!DOCTYPE a [<!ENTITY e0 "ha">{_LEVELS}]><a>x &e11; y</a>'
        ).encode(),
        key="a.xml",
        has=("x ", " y"),
    ),
    Nasty(
        name="entity that names a file",
        content=b'<?xml version="1.0"?><!DOCTYPE a [<!ENTITY f SYSTEM "file:///etc/passwd">]>'
        b"<a>words &f;</a>",
        key="a.xml",
        has=("words",),
        lacks=("root:",),
    ),
    Nasty(
        name="XML that is not well-formed",
        content=b"<?xml version='1.0'?><a><b>open words<c>more",
        key="a.xml",
        has=("open words", "more"),
    ),
    Nasty(
        name="XML in UTF-16 without a mark",
        content='<?xml version="1.0" encoding="utf-16"?><a>Łódź и Москва</a>'.encode("utf-16-be"),
        key="a.xml",
        has=("Łódź и Москва",),
    ),
    Nasty(
        name="XML with prefixes nobody declared",
        content=b"<rss><item><dc:title>feed words</dc:title></item></rss>",
        key="feed.xml",
        has=("feed words",),
    ),
    Nasty(
        name="XML nested too deeply for its parser",
        content=b"<?xml version='1.0'?>" + b"<a>" * 5_000 + b"deep words" + b"</a>" * 5_000,
        key="a.xml",
        has=("deep words",),
    ),
    Nasty(
        name="feed with HTML inside",
        content=b"<?xml version='1.0'?><rss><channel><title>News</title><item><description>"
        b"<![CDATA[<p>Some <b>news</b></p>]]></description></item></channel></rss>",
        key="rss",
        media_type="application/xml",
        has=("News", "news"),
    ),
    Nasty(
        name="drawing with words",
        content=b'<?xml version="1.0"?><svg xmlns="http://www.w3.org/2000/svg"><title>Chart</title>'
        b'<style>p{}</style><path d="M0 0L9 9"/><text>Sales <tspan>2024</tspan></text></svg>',
        key="a.svg",
        media_type="image/svg+xml",
        has=("Chart", "Sales 2024"),
        lacks=("M0 0L9 9", "p{}"),
    ),
    Nasty(
        name="drawing without words",
        content=b'<svg xmlns="http://www.w3.org/2000/svg"><path d="M0 0L9 9"/></svg>',
        key="a.svg",
        outcome="image_only",
    ),
)

"""JSON, JSON Lines and CSV as programs and people write them."""

from tests.unit.documents.nasty.case import Nasty

NASTY = (
    Nasty(
        name="JSON with a mark",
        content=b'\xef\xbb\xbf{"name": "Zo\\u00eb"}',
        key="a.json",
        media_type="application/json",
        has=('{"name": "Zoë"}',),
        lacks=("\ufeff",),
    ),
    Nasty(
        name="JSON with a mark and no name that tells",
        content=b'\xef\xbb\xbf{"name": "Zo\\u00eb"}',
        media_type="application/json",
        has=("Zoë",),
    ),
    Nasty(
        name="JSON with NaN",
        content=b'{"a": NaN, "b": -Infinity, "c": "words"}',
        key="a.json",
        has=("NaN", "words"),
    ),
    Nasty(
        name="JSON in UTF-16",
        content='{"name": "Łódź", "list": [1, 2]}'.encode("utf-16-le"),
        key="a.json",
        has=("Łódź",),
    ),
    Nasty(
        name="JSON in Latin-1",
        content='{"name": "Zoë"}'.encode("latin-1"),
        key="a.json",
        has=("Zoë",),
    ),
    Nasty(
        name="JSON with comments and trailing commas",
        content=b'{\n  // note\n  "a": "words",\n}',
        key="a.json",
        has=("words",),
    ),
    Nasty(
        name="JSON with lone surrogates and NULs escaped",
        content=b'{"a": "x\\ud800y\\u0000z"}',
        key="a.json",
        has=("x\\ud800y\\u0000z",),
    ),
    Nasty(
        name="JSON cut in the middle",
        content=b'{"a": "words and more wo',
        key="a.json",
        has=("words and more",),
    ),
    Nasty(
        name="JSON nested without end",
        content=b'{"a":' * 50_000 + b'"words"',
        key="a.json",
        has=("words",),
    ),
    Nasty(
        name="JSON named text",
        content=b'{"a": "Zo\\u00eb"}',
        key="a.txt",
        media_type="application/json",
        has=("Zoë",),
    ),
    Nasty(
        name="JSON named XML",
        content=b'{"a": "Zo\\u00eb"}',
        key="a.xml",
        media_type="application/json",
        has=("Zoë",),
    ),
    Nasty(
        name="JSON Lines with broken ones",
        content=b'{"a": "one"}\n{"a": "tw\n\n{"a": "thr\\u00e9e"}\n',
        key="a.jsonl",
        media_type="application/jsonl",
        has=('"one"', '"tw', '"thrée"'),
    ),
    Nasty(
        name="JSON Lines without a name that tells",
        content=b'{"a": "one \\u00e9"}\n{"a": "two"}\n{"a": "three"}\n',
        media_type="application/jsonl",
        has=("one é", "three"),
    ),
    Nasty(
        name="CSV with semicolons in cp1252",
        content="Name;Ort;Preis\nMüller;Köln;1,50 €\nJörg;Düsseldorf;2,00 €\n".encode("cp1252"),
        key="a.csv",
        media_type="text/csv",
        has=("Müller;Köln;1,50 €",),
    ),
    Nasty(
        name="CSV of a spreadsheet, tabs in UTF-16",
        content="Name\tOrt\nMüller\tKöln\n".encode("utf-16"),
        key="a.csv",
        has=("Müller\tKöln",),
    ),
    Nasty(
        name="CSV with NULs from a database",
        content=b"id,name\n" + b"".join(b"%d,name %d\n" % (n, n) for n in range(500)) + b"\0,\n",
        key="a.csv",
        has=("499,name 499",),
    ),
    Nasty(name="CSV of one cell", content=b'"', key="a.csv", has=('"',)),
)

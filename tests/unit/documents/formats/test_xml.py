import pytest

from include.documents.formats.xml import read


@pytest.mark.parametrize(
    ("source", "text"),
    [
        ('<a x="1"><b>one</b><b/></a>', 'a x="1"\n  b: one\n  b'),
        ("<p>Some <em>mixed</em>\n  text.</p>", "p: Some mixed text."),
        ("<d><p>A <i>b</i></p><q>c</q></d>", "d\n  p: A b\n  q: c"),
        ("<a><![CDATA[1 < 2 & 3]]></a>", "a: 1 < 2 & 3"),
        ("<a><!-- unsaid --><?pi unsaid?>said</a>", "a: said"),
        ('<n:a xmlns:n="urn:n" n:x="1"/>', 'a x="1"'),
        ("<a>never closed", "<a>never closed"),
        ("<a>\x01</a>", "<a>\x01</a>"),
    ],
)
def test_document_becomes_an_outline(source: str, text: str) -> None:
    assert read(source.encode()).text == text


def test_entities_are_expanded_unless_they_explode() -> None:
    levels = "".join(f'<!ENTITY e{n} "{f"&e{n - 1};" * 10}">' for n in range(1, 12))
    bomb = f'<!DOCTYPE a [<!ENTITY e0 "ha">{levels}]><a>laugh &e11; now</a>'
    assert read(b'<!DOCTYPE a [<!ENTITY e "ha">]><a>laugh &e; now</a>').text == "a: laugh ha now"
    assert read(bomb.encode()).text == bomb


def test_files_of_the_machine_are_not_read() -> None:
    source = b'<!DOCTYPE a [<!ENTITY f SYSTEM "file:///etc/passwd">]><a>words &f;</a>'
    assert read(source).text == "a: words &f;"


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16", "iso-8859-2"])
def test_declared_encoding_is_believed(encoding: str) -> None:
    reading = read(f'<?xml version="1.0" encoding="{encoding}"?><a>Łódź</a>'.encode(encoding))
    assert reading.text == "a: Łódź"

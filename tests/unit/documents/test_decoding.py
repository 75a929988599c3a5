import codecs
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from include.documents.decoding import clean, decode
from include.documents.extraction import NoTextError

RUSSIAN = "Каждый человек имеет право на жизнь, свободу и личную неприкосновенность. " * 4
JAPANESE = "すべて人は、生命、自由及び身体の安全に対する権利を有する。" * 3


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "utf-32"])
def test_byte_order_mark_decides(encoding: str) -> None:
    assert decode(RUSSIAN.encode(encoding)) == (RUSSIAN, encoding)


@pytest.mark.parametrize("encoding", ["cp1251", "koi8-r", "utf-16-le", "utf-16-be"])
def test_undeclared_encoding_is_detected(encoding: str) -> None:
    text, found = decode(RUSSIAN.encode(encoding))
    assert text == RUSSIAN
    assert codecs.lookup(found) == codecs.lookup(encoding)


@pytest.mark.parametrize("encoding", ["shift_jis", "euc-jp", "iso2022_jp"])
def test_japanese_is_detected_also_where_its_bytes_are_ascii(encoding: str) -> None:
    assert decode(JAPANESE.encode(encoding))[0] == JAPANESE


def test_utf_8_is_believed_before_a_declaration() -> None:
    assert decode("Zoë".encode(), declared="iso-8859-1") == ("Zoë", "utf-8")


def test_declared_latin_1_is_read_as_what_people_mean_by_it() -> None:
    assert decode(b"a \x93quote\x94", declared="ISO-8859-1") == ("a “quote”", "cp1252")


@pytest.mark.parametrize("declared", ["nonsense", "rot13", "zlib", "\0", ""])
def test_declaration_that_names_no_encoding_is_ignored(declared: str) -> None:
    assert decode(RUSSIAN.encode("cp1251"), declared=declared)[0] == RUSSIAN


def test_utf_8_cut_in_the_middle_of_a_character_stays_utf_8() -> None:
    text, encoding = decode(RUSSIAN.encode()[:-3])
    assert encoding == "utf-8"
    assert text == RUSSIAN[:-3] + "\ufffd"


def test_single_e_acute_is_not_taken_for_damaged_utf_8() -> None:
    assert decode("le café du coin, très agréable".encode("cp1252"))[0].startswith("le café")


def test_stray_nul_is_dropped_from_text() -> None:
    assert decode(b"words " * 1000 + b"\0")[0] == "words " * 1000


def test_terminal_colours_are_ascii() -> None:
    assert decode(b"\x1b[1mbold\x1b[0m \x1b$")[1] == "utf-8"


def test_binary_is_no_text() -> None:
    with pytest.raises(NoTextError) as caught:
        decode(bytes(range(256)) * 20)
    assert caught.value.outcome == "unsupported"


def test_newlines_become_one_kind() -> None:
    assert clean("a\r\nb\rc\x0cd\x85e") == "a\nb\nc\nd\ne"


def test_text_is_not_normalised() -> None:
    assert clean("e\u0301 \ufb01") == "e\u0301 \ufb01"


@given(st.text(alphabet=st.characters(codec=None)))
def test_cleaned_text_has_no_controls_and_no_surrogates(text: str) -> None:
    cleaned = clean(text)
    cleaned.encode()
    assert {c for c in cleaned if unicodedata.category(c) == "Cc"} <= {"\t", "\n"}


@given(st.binary())
def test_any_bytes_are_text_or_refused(content: bytes) -> None:
    try:
        text, encoding = decode(content)
    except NoTextError:
        return
    codecs.lookup(encoding)
    clean(text).encode()

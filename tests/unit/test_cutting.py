import pytest
import regex
from hypothesis import given
from hypothesis import strategies as st

from include.cutting import beginning_of, split_text

FLAG = "\U0001f1e9\U0001f1ea"
FAMILY = "\U0001f468\u200d\U0001f469\u200d\U0001f467"
TEXTS = st.lists(
    st.one_of(
        st.characters(exclude_categories=["Cs"]),
        st.sampled_from(["\n", " ", ". ", "\r\n", "e\u0301", FLAG, FAMILY, "\u0915\u094d\u0937"]),
    ),
    max_size=200,
).map("".join)


def graphemes(text: str) -> set[int]:
    return {found.end() for found in regex.finditer(r"\X", text)}


@given(TEXTS, st.integers(1, 60))
def test_parts_together_are_the_text_and_none_is_too_long(text: str, most: int) -> None:
    parts = split_text(text, max_characters=most)
    assert "".join(parts) == text
    assert all(0 < len(part) <= most for part in parts) or parts == [""]
    assert parts == split_text(text, max_characters=most)


@given(TEXTS)
def test_no_grapheme_is_cut_that_fits_into_a_part(text: str) -> None:
    most = 40
    ends, place = graphemes(text), 0
    longest = max((len(found[0]) for found in regex.finditer(r"\X", text)), default=0)
    for part in split_text(text, max_characters=most)[:-1]:
        place += len(part)
        assert place in ends or longest > most


@given(st.integers(1, 200), st.integers(40, 90))
def test_part_begins_with_at_most_the_overlap_of_the_one_before(words: int, most: int) -> None:
    overlap = most // 4
    text = " ".join(f"word{number}" for number in range(words))
    parts = split_text(text, max_characters=most, overlap_characters=overlap)
    assert all(len(part) <= most for part in parts)
    end = 0
    for part in parts:
        start = text.index(part)
        assert end - overlap <= start <= end
        end = start + len(part)
    assert end == len(text)


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("One. Two.\n\nThree. Four.", ["One. Two.\n\n", "Three. Four."]),
        ("One. Two?\nThree. Four.", ["One. Two?\n", "Three. Four."]),
        ("One two. Three four.", ["One two. ", "Three four."]),
        ("One two three four", ["One two ", "three four"]),
        ("onetwothreefour", ["onetwothr", "eefour"]),
        (
            "\u4e00\u4e8c\u4e09\u56db\u3002\u4e94\u516d\u4e03\u516b\u3002",
            ["\u4e00\u4e8c\u4e09\u56db\u3002", "\u4e94\u516d\u4e03\u516b\u3002"],
        ),
    ],
    ids=["paragraphs", "lines", "sentences", "words", "one word", "without spaces"],
)
def test_cut_lies_at_the_best_place_near_the_middle(text: str, parts: list[str]) -> None:
    assert split_text(text, max_characters=len(text) - 1) == parts


@pytest.mark.parametrize(
    ("text", "most", "first"),
    [
        ("a" * 14 + " \u0301" + "b" * 10, 15, "a" * 14),
        ("a" * 14 + "\r\n" + "b" * 10, 15, "a" * 14),
        ("a" * 15 + FLAG + FLAG, 18, "a" * 15 + FLAG),
    ],
    ids=["space with an accent", "line end of two", "flags"],
)
def test_grapheme_at_the_cut_goes_to_one_part(text: str, most: int, first: str) -> None:
    assert beginning_of(text, most) == first


def test_parts_are_about_equally_long() -> None:
    text = "A line of notes.\n" * 210
    lengths = [len(part) for part in split_text(text, max_characters=len(text) - 20)]
    assert len(lengths) == 2
    assert max(lengths) < 1.3 * min(lengths)


def test_overlap_begins_with_a_word() -> None:
    first, second = split_text("word " * 20, max_characters=60, overlap_characters=13)
    assert second.startswith("word ")
    assert len(first) + len(second) == 100 + 10


@pytest.mark.parametrize("strange", ["\u0301", FLAG, " ", "\u4e00", "\u0915\u094d"])
def test_strange_text_is_cut_all_the_same(strange: str) -> None:
    text = strange * 20_000
    parts = split_text(text, max_characters=3_000)
    assert "".join(parts) == text
    assert max(map(len, parts)) <= 3_000


@given(TEXTS, st.integers(1, 60))
def test_beginning_is_the_beginning(text: str, most: int) -> None:
    beginning = beginning_of(text, most)
    assert text.startswith(beginning)
    assert len(beginning) <= most
    assert bool(beginning) == bool(text)

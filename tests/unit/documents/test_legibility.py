import pytest

from include.documents.legibility import is_garbled

ENGLISH = (
    "The quarterly report shows that revenue grew while costs stayed flat, although the board "
    "expected a different outcome for most of the regions in question. "
) * 4


@pytest.mark.parametrize(
    "text",
    [
        ENGLISH,
        "Никой не трябва да бъде подлаган на изтезания или на жестоко третиране. " * 5,
        "このAPIを使用してデータを取得します。詳細はドキュメントを参照。" * 10,
        "1 234,50 2 345,60 3 456,70\n" * 40,
        "Contents ........................ 1\n" * 20,
        "BCDF",
        "",
    ],
    ids=["english", "bulgarian", "japanese", "numbers", "dotted", "short", "nothing"],
)
def test_words_are_legible(text: str) -> None:
    assert not is_garbled(text)


@pytest.mark.parametrize(
    "text",
    [
        "".join(chr(ord(letter) - 29) if letter > " " else letter for letter in ENGLISH),
        "".join(chr(ord(letter) + 0xF000) for letter in ENGLISH),
        "\ufffd\ufffd\ufffd words",
        "!\"#$ %&'( )*+, -./:" * 20,
        "aя bю cж dп шe fλ gщ hψ " * 10,
    ],
    ids=["shifted", "private", "replaced", "signs", "mixed scripts"],
)
def test_nonsense_is_garbled(text: str) -> None:
    assert is_garbled(text)

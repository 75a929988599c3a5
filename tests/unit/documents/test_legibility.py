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
        "人人生而自由，在尊严和权利上一律平等。API和HTTP接口v2。" * 20,
        "يولد جميع الناس أحرارًا متساوين في الكرامة والحقوق. PDF " * 20,
        "सभी मनुष्यों को गौरव और अधिकारों के मामले में जन्मजात स्वतन्त्रता। " * 20,
        "มนุษย์ทั้งหลายเกิดมามีอิสระและเสมอภาคกัน" * 20,
        "Tất cả mọi người sinh ra đều được tự do và bình đẳng về nhân phẩm. " * 9,
        "Wszyscy ludzie rodzą się wolni i równi pod względem swej godności. " * 9,
        "Версия Windows10 и Linux-система с API-интерфейсом HTTP-запрос " * 20,
        "the angle α and β where sinα=cosβ in μm and Δx " * 20,
        "ˈɪŋɡlɪʃ ˈlæŋɡwɪdʒ prəˌnʌnsiˈeɪʃən " * 20,
        "The SQL and CRC of an XML over HTTP with TCP and UDP by DNS to SSH via TLS " * 20,
        "9f86d081884c7d65 deadbeef01 0x1f2e3d4c " * 30,
        "for (int i = 0; i < n; i++) { x[i] = y[i] * 2; }\n" * 30,
        "_____________ Name ________ Date ___/___/____ " * 20,
        "12,345.67 | 89.10% | -3.2 | 1e-9\n" * 40,
        "BCDF",
        "",
    ],
    ids=[
        *("english", "bulgarian", "japanese", "numbers", "dotted", "chinese", "arabic", "hindi"),
        *("thai", "vietnamese", "polish", "russian of computers", "formulas", "phonetics"),
        *("acronyms", "hashes", "code", "form", "table", "short", "nothing"),
    ],
)
def test_words_are_legible(text: str) -> None:
    assert not is_garbled(text)


@pytest.mark.parametrize(
    "text",
    [
        "".join(chr(ord(letter) - 29) if letter > " " else letter for letter in ENGLISH),
        "".join(chr(ord(letter) + 0xF000) for letter in ENGLISH),
        "".join(chr(ord(x) - 29) if x.islower() else x for x in ENGLISH),
        "".join(chr((ord(x) - 94) % 26 + 97) if x.islower() else x for x in ENGLISH),
        "\ufffd\ufffd\ufffd words",
        "!\"#$ %&'( )*+, -./:" * 20,
        "aя bю cж dп шe fλ gщ hψ " * 10,
    ],
    ids=["shifted", "private", "in capitals", "ciphered", "replaced", "signs", "mixed scripts"],
)
def test_nonsense_is_garbled(text: str) -> None:
    assert is_garbled(text)

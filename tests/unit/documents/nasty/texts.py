"""Plain text in the encodings and the disorder in which it comes."""

import codecs

from tests.unit.documents.nasty.case import Nasty

ENGLISH = "Everyone has the right to life, liberty and security of person.\n" * 3
GERMAN = "Jeder hat das Recht auf Leben, Freiheit und Sicherheit der Person; schöne Grüße. " * 3
FRENCH = "Tout individu a droit à l'existence, à la liberté et à la sûreté. « déjà » " * 3
POLISH = "Każdy człowiek ma prawo do życia, wolności i bezpieczeństwa swej osoby. Zażółć. " * 3
CZECH = "Každý má právo na život, svobodu a osobní bezpečnost. Příliš žluťoučký kůň. " * 3
RUSSIAN = "Каждый человек имеет право на жизнь, на свободу и на личную неприкосновенность. " * 3
GREEK = "Κάθε άτομο έχει δικαίωμα στη ζωή, την ελευθερία και την προσωπική του ασφάλεια. " * 3
HEBREW = "כל אדם יש לו הזכות לחיים, לחרות ולבטחון אישי. לא יהיה אדם עבד או משועבד. " * 3
ARABIC = "لكل فرد الحق في الحياة والحرية وسلامة شخصه. لا يجوز استرقاق أو استعباد أي شخص. " * 3
TURKISH = "Yaşamak, hürriyet ve kişi emniyeti her ferdin hakkıdır. Hiç kimse kölelik altında. " * 3
THAI = "คนทุกคนมีสิทธิในการดำรงชีวิต เสรีภาพ และความมั่นคงแห่งตัวตน " * 4
JAPANESE = "すべて人は、生命、自由及び身体の安全に対する権利を有する。\n" * 4
CHINESE = "人人有权享有生命、自由和人身安全。任何人不得使为奴隶或奴役。\n" * 4
TAIWANESE = "人人有權享有生命、自由與人身安全。任何人不容使為奴役。\n" * 4
KOREAN = "모든 사람은 생명과 신체의 자유와 안전에 대한 권리를 가진다.\n" * 4

_ENCODED = (
    ("cp1252", GERMAN),
    ("iso-8859-15", FRENCH),
    ("mac-roman", FRENCH),
    ("cp850", GERMAN),
    ("iso-8859-2", POLISH),
    ("cp1250", CZECH),
    ("cp1251", RUSSIAN),
    ("koi8-r", RUSSIAN),
    ("cp866", RUSSIAN),
    ("mac-cyrillic", RUSSIAN),
    ("iso-8859-5", RUSSIAN),
    ("iso-8859-7", GREEK),
    ("cp1255", HEBREW),
    ("cp1256", ARABIC),
    ("cp1254", TURKISH),
    ("cp874", THAI),
    ("shift_jis", JAPANESE),
    ("euc-jp", JAPANESE),
    ("iso-2022-jp", JAPANESE),
    ("gb18030", CHINESE),
    ("gb2312", CHINESE),
    ("hz", CHINESE),
    ("big5", TAIWANESE),
    ("euc-kr", KOREAN),
    ("iso-2022-kr", KOREAN),
    ("utf-16-le", ENGLISH),
    ("utf-16-be", ENGLISH),
    ("utf-16-le", RUSSIAN),
    ("utf-16-be", CHINESE),
    ("utf-16-le", CHINESE),
    ("utf-16-le", JAPANESE),
    ("utf-16-be", KOREAN),
    ("utf-32-le", ENGLISH),
    ("utf-32-be", CHINESE),
    ("cp037", ENGLISH),
    ("cp500", GERMAN),
    ("utf-16", JAPANESE),
    ("utf-32", KOREAN),
    ("utf-8-sig", ARABIC),
)

NASTY = (
    *(
        Nasty(
            name=f"{encoding} {text[:12].strip()}",
            content=text.encode(encoding),
            key="a.txt",
            has=(text.strip().splitlines()[0],),
        )
        for encoding, text in _ENCODED
    ),
    *(
        Nasty(
            name=f"{encoding} without a space or a line end: {text}",
            content=text.encode(encoding),
            key="a.txt",
            encoding=encoding,
            has=(text,),
        )
        for encoding in ("utf-16-le", "utf-16-be")
        for text in (JAPANESE.splitlines()[0], CHINESE.splitlines()[0], "Москва")
    ),
    *(
        Nasty(name=f"short {text}", content=text.encode(encoding), key="a.txt", has=(text,))
        for encoding, text in (
            ("iso-8859-2", "Příliš žluťoučký kůň"),
            ("cp1250", "Zavřete šatnu, pane řediteli"),
            ("cp1254", "Şehir ışığı"),
            ("cp037", "HELLO WORLD\nTHIS IS A MAINFRAME\n"),
            ("utf-7", "Grüße aus Köln – schöne Welt"),
        )
    ),
    *(
        Nasty(
            name=f"{first}, then {second}",
            content="first program says this\r\n".encode(first) * 3
            + "second program says that\r\n".encode(second) * 3,
            key="a.log",
            has=("first program says this\nsecond program says that\n",),
        )
        for first, second in (("utf-8", "utf-16"), ("utf-8", "utf-16-le"), ("utf-16", "utf-8"))
    ),
    Nasty(
        name="plus signs that are no UTF-7",
        content=b"C++ and 1 +2- 3 or a+bcd-e and +AGE- too",
        has=("C++ and 1 +2- 3 or a+bcd-e and +AGE- too",),
    ),
    Nasty(
        name="controls between words",
        content=b"8=FIX.4.2\x0135=8\x0149=sender\x0156=target\x01" * 9,
        encoding="utf-8",
        has=("49=sender",),
    ),
    Nasty(
        name="mark of UTF-16 on ASCII", content=b"\xff\xfe" + b"words of ASCII " * 4, has=("of",)
    ),
    Nasty(
        name="NULs between the names", content=b"one.txt\0two.txt\0" * 9, has=("one.txt\ntwo.txt",)
    ),
    Nasty(
        name="log with a hole where the power failed",
        content=b"first half\n" * 9 + b"\0" * 4096 + b"second half\n",
        key="a.log",
        has=("first half", "second half"),
    ),
    Nasty(name="erased memory", content=b"\xff" * 512, outcome="unsupported"),
    Nasty(
        name="armour of PGP",
        content=b"\n-----BEGIN PGP MESSAGE-----\n\nhQEMA5vJ\n=abcd\n-----END PGP MESSAGE-----\n",
        key="a.txt",
        outcome="encrypted",
        reason="PGP",
    ),
    Nasty(
        name="words about the armour of PGP",
        content=b"-----BEGIN PGP MESSAGE-----\nis how\n-----END PGP MESSAGE-----\nlooks like",
        has=("looks like",),
    ),
    Nasty(
        name="signed by PGP",
        content=b"-----BEGIN PGP SIGNED MESSAGE-----\n\nreadable words\n-----BEGIN PGP SIGNATURE",
        has=("readable words",),
    ),
    Nasty(name="nothing", content=b"", outcome="empty"),
    Nasty(name="white space only", content=b" \r\n\t\x0c\n" * 9, key="a.txt", outcome="empty"),
    Nasty(name="mark only", content=codecs.BOM_UTF8, key="a.txt", outcome="empty"),
    Nasty(name="UTF-16 mark only", content=codecs.BOM_UTF16_LE, key="a.md", outcome="empty"),
    Nasty(
        name="no-break spaces only", content="\u00a0\u200b\ufeff \u3000".encode(), outcome="empty"
    ),
    Nasty(name="block padded with NULs", content=b"a record" + b"\0" * 504, has=("a record",)),
    Nasty(name="NULs only", content=b"\0" * 500, key="a.txt", outcome="empty"),
    Nasty(name="one letter", content=b"x", has=("x",)),
    Nasty(name="one byte beyond ASCII", content=b"\xe9", key="a.txt", has=("é",)),
    Nasty(
        name="UTF-8 with a few bytes of Latin-1",
        content=GERMAN.encode() * 5 + b" caf\xe9 \xfcber " + GERMAN.encode() * 5,
        encoding="utf-8",
        has=("schöne Grüße",),
    ),
    Nasty(
        name="English in UTF-8 with one byte of cp1252",
        content=ENGLISH.encode() * 3 + "naïve “quotes” — dash".encode() + b" caf\xe9 end",
        has=("naïve “quotes” — dash", "end"),
    ),
    Nasty(
        name="two encodings in one file",
        content=("é" * 3 + " in UTF-8\n").encode() + "déjà vu à Paris\n".encode("latin-1") * 3,
        has=("in UTF-8", " vu ", " Paris"),
    ),
    Nasty(
        name="quotes of cp1252",
        content=b"\x93Smart quotes\x94 \x96 it\x92s an old \x85 trick",
        has=("“Smart quotes” – it’s an old … trick",),
    ),
    Nasty(
        name="UTF-8 cut within a character", content=RUSSIAN.encode()[:-4], has=("Каждый человек",)
    ),
    Nasty(
        name="UTF-16 with half a character too much",
        content=ENGLISH.encode("utf-16") + b"x",
        has=("Everyone has",),
    ),
    Nasty(
        name="surrogates written as UTF-8",
        content=b"before \xed\xa0\xbd\xed\xb8\x80 after",
        has=("before ", " after"),
    ),
    Nasty(
        name="log with terminal colours",
        content=b"\x1b[1;31mERROR\x1b[0m disk \x1b[4mfull\x1b[24m\n\x1b]0;title\x07\x1b[2Kdone\r\n",
        key="app.log",
        has=("ERROR disk full\ndone",),
        lacks=("[1;31m", "title", "[2K"),
    ),
    Nasty(
        name="manual page struck over",
        content=b"N\x08NA\x08AM\x08ME\x08E\n     _\x08l_\x08s - list\n",
        key="ls.txt",
        has=("NAME\n", "ls - list"),
    ),
    Nasty(
        name="progress bar of carriage returns",
        content=b"".join(b"%d%%\r" % n for n in range(100)) + b"finished\n",
        has=("finished",),
    ),
    Nasty(name="form feeds", content=b"page one\x0cpage two", has=("page one\npage two",)),
    Nasty(
        name="one line of 300 kB", content=b"word " * 60_000, key="a.txt", has=("word word word",)
    ),
    Nasty(
        name="binary named text",
        content=bytes(range(256)) * 40,
        key="a.txt",
        outcome="unsupported",
    ),
    Nasty(
        name="noise without a NUL",
        content=bytes((n * 167 + n * n * 13 + (n >> 3)) % 255 + 1 for n in range(9_000)),
        key="a.txt",
        outcome="unsupported",
    ),
    Nasty(name="text named PDF", content=b"just words", key="a.pdf", media_type="text/plain"),
    Nasty(name="text named gzip", content=b"just words", key="a.txt.gz", has=("just words",)),
    Nasty(name="text that begins like MP3", content=b"ID3 tags describe songs.", has=("songs",)),
    Nasty(name="text that begins like bzip2", content=b"BZhang wrote this.", has=("wrote this",)),
    Nasty(name="text that begins like Parquet", content=b"PAR1S is a city", has=("a city",)),
    Nasty(name="text that begins like a bitmap", content=b"BMW sells cars in 1999", has=("cars",)),
    Nasty(name="text that begins like MZ", content=b"MZ is a magic number", has=("magic",)),
    Nasty(
        name="Markdown with front matter and HTML",
        content=b"---\ntitle: Post\n---\n\n<div>inside</div>\n\n# Heading\n",
        key="post.md",
        media_type="text/markdown",
        has=("title: Post", "<div>inside</div>", "# Heading"),
    ),
    Nasty(
        name="Markdown that begins with HTML",
        content=b"<!-- note -->\n<html>\n# Heading\n",
        key="readme.md",
        has=("# Heading",),
    ),
    Nasty(
        name="reStructuredText",
        content="Überschrift\n===========\n\n.. note:: Wörter\n".encode("latin-1"),
        key="a.rst",
        has=("Überschrift\n=====", ".. note:: Wörter"),
    ),
)

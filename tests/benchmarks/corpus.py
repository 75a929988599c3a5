"""Documents that are made up as they are asked for: the same number, the same document."""

import random
from email.message import EmailMessage
from functools import cache

FOLDER = "documents/dt=2026-11-10/"
FOUR_MEGABYTES = 4_000_000

_POOL_CHARACTERS = 400_000
_SMALLEST, _LARGEST = 200, 20_000
_WORDS = (
    "the bridge report of committee finds that water under northern pier has risen since March and "
    "engineers ask for another survey before winter while the council of Bern weighs the cost of "
    "repairs against a new crossing near Thun as traders fear that closing the road would harm "
    "their trade although Müller & Söhne AG offered to pay a third of what the work may cost"
)


@cache
def _pool() -> str:
    """Return sentences to cut texts from."""
    draw = random.Random(7)  # noqa: S311  # the same texts every time
    words_known = _WORDS.split()
    sentences: list[str] = []
    size = 0
    while size < _POOL_CHARACTERS:
        words = draw.choices(words_known, k=draw.randint(6, 22))
        sentences.append(" ".join(words).capitalize() + draw.choice((".", ".", ".\n", "?")))
        size += len(sentences[-1]) + 1
    return " ".join(sentences)


def text_of(number: int, *, mean_characters: int = 2_000) -> str:
    """Return the text of a document: most are short, some are ten times the mean."""
    draw = random.Random(number)  # noqa: S311  # the same text every time
    size = int(draw.lognormvariate(0, 0.8) * mean_characters / 1.38)
    size = min(max(size, mean_characters // 10), mean_characters * 10)
    start = draw.randrange(_POOL_CHARACTERS - _LARGEST)
    return f"Report {number}. {_pool()[start : start + size]}"


def key_of(number: int) -> str:
    """Return the key of a document, in the order in which S3 lists."""
    return f"{FOLDER}{number:08d}.{_suffix(number)}"


def number_of(key: str) -> int:
    """Return the number of the document that lies at a key."""
    return int(key.removeprefix(FOLDER).partition(".")[0])


def content_of(number: int) -> bytes:
    """Return a document as it lies in the bucket: four in five are text, the rest pages, mails."""
    text = text_of(number)
    suffix = _suffix(number)
    if suffix == "html":
        paragraphs = "".join(f"<p>{one}</p>" for one in text.splitlines())
        return f"<html><title>{number}</title><body>{paragraphs}</body></html>".encode()
    if suffix == "eml":
        mail = EmailMessage()
        mail["From"], mail["To"], mail["Subject"] = "a@example.org", "b@example.org", str(number)
        mail.set_content(text)
        return mail.as_bytes()
    return text.encode()


def _suffix(number: int) -> str:
    return {0: "eml", 1: "html", 2: "html", 3: "html"}.get(number % 20, "txt")

"""Tokens: how many a text will be, before the API has counted them."""

from decimal import Decimal

CHARACTERS_PER_TOKEN = Decimal("2.5")
"""Source: the API's documentation, for tokenizers since Claude 4.7."""
PRICE_STEP_TOKENS = 100_000
"""Prompts above this cost more with some models; the whole request does. Source: price lists."""

PICTURE_CLASS = "picture"
_SIZES = ((4_000, "short"), (16_000, "medium"), (64_000, "long"))
_SCRIPTS = ((0.03, "plain"), (0.40, "accented"))
"""By bytes that characters take beyond one each: English, then most of Europe, then the rest."""


def estimate_tokens(characters: int) -> int:
    """Return about how many tokens so many characters are."""
    return int(characters / CHARACTERS_PER_TOKEN)


def usual_tokens(characters: int, picture_tokens: int | None = None) -> float:
    """Return how many tokens a request usually is: what forecasts correct by what was counted."""
    return characters / float(CHARACTERS_PER_TOKEN) + (picture_tokens or 0)


def token_class(*, characters: int, utf8_bytes: int, has_picture: bool = False) -> str:
    """Return with which requests one shares about how many characters make a token.

    Args:
        characters: Of the whole request, without what a picture takes.
        utf8_bytes: The same in bytes.
        has_picture: A file is sent as it is.
    """
    if has_picture:
        return PICTURE_CLASS
    beyond = utf8_bytes / max(characters, 1) - 1
    script = next((name for limit, name in _SCRIPTS if beyond < limit), "wide")
    size = next((name for limit, name in _SIZES if characters < limit), "huge")
    return f"{script}-{size}"

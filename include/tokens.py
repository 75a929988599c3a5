"""Tokens: how many a text will be, before the API has counted them."""

from decimal import Decimal

CHARACTERS_PER_TOKEN = Decimal("2.5")
"""Source: the API's documentation, for tokenizers since Claude 4.7."""
PRICE_STEP_TOKENS = 100_000
"""Prompts above this cost more with some models; the whole request does. Source: price lists."""


def estimate_tokens(characters: int) -> int:
    """Return about how many tokens so many characters are."""
    return int(characters / CHARACTERS_PER_TOKEN)

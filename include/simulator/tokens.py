"""How many tokens a text or a request is, roughly."""

import math
from typing import Any

import msgspec

from include.simulator.pictures import picture_blocks, picture_tokens

CHARACTERS_PER_TOKEN = 2.5
"""Source: models from Opus 4.7 on, 1M tokens are about 2.5M characters."""
_INPUT_PARAMS = ("system", "messages", "tools", "output_config")


def count(text: str) -> int:
    """Return the tokens of a text."""
    return count_characters(len(text))


def count_characters(characters: int) -> int:
    """Return the tokens of so much text."""
    return math.ceil(characters / CHARACTERS_PER_TOKEN)


def cut(text: str, tokens: int) -> str:
    """Return the beginning of a text that is so many tokens long."""
    return text[: int(tokens * CHARACTERS_PER_TOKEN)]


def input_tokens(params: dict[str, Any]) -> int:
    """Return the tokens of everything that the model reads."""
    read = [params[name] for name in _INPUT_PARAMS if name in params]
    pictures = list(picture_blocks(params))
    characters = len(msgspec.json.encode(read).decode())
    characters -= sum(len(picture.data) for picture in pictures)
    return count_characters(characters) + sum(map(picture_tokens, pictures))

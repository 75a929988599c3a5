"""Prompt caching: what a request reads from the cache, or writes to it."""

import hashlib
from typing import Any, Literal

import msgspec

from include.simulator.models import CATALOGUE
from include.simulator.tokens import count
from include.simulator.validation import Params

CacheTtl = Literal["5m", "1h"]

_BLOCK_TOKENS = 16
"""Only whole blocks are cached, so that no price is less than a billionth of a dollar."""
_HASH_RANGE = 1 << 64


class CacheUse(msgspec.Struct, frozen=True, omit_defaults=True):
    """Tokens of one prompt that have to do with the cache."""

    read_tokens: int = 0
    write_5m_tokens: int = 0
    write_1h_tokens: int = 0

    @property
    def tokens(self) -> int:
        """All of them; the rest of the prompt is charged in full."""
        return self.read_tokens + self.write_5m_tokens + self.write_1h_tokens


def use_of(params: Params, *, is_hit: bool) -> CacheUse:
    """Return what a request has to do with the cache; params are known to be valid.

    Only marks in `system` count: what stands in `messages` is of one request alone.
    """
    marks = [
        block["cache_control"]
        for block in _system_blocks(params)
        if isinstance(block, dict) and block.get("cache_control")
    ]
    tokens = _prefix_tokens(params) if marks else 0
    if tokens < CATALOGUE[params["model"]].min_cacheable_tokens:
        return CacheUse()
    if is_hit:
        return CacheUse(read_tokens=tokens)
    if marks[-1].get("ttl", "5m") == "1h":
        return CacheUse(write_1h_tokens=tokens)
    return CacheUse(write_5m_tokens=tokens)


def is_hit(custom_id: str, *, seed: int, hit_rate: float) -> bool:
    """Return whether a request of a batch finds its prefix, by its id: the same in every batch."""
    digest = hashlib.sha256(f"{seed}:cache:{custom_id}".encode()).digest()
    return int.from_bytes(digest[:8], "big") < hit_rate * _HASH_RANGE


def without_marks(params: Params) -> Params:
    """Return the params as a question: what is cached of it makes it no other."""
    blocks = _system_blocks(params)
    if not blocks or not all(isinstance(block, dict) for block in blocks):
        return params
    return params | {"system": "".join(str(block.get("text", "")) for block in blocks)}


def _system_blocks(params: Params) -> list[Any]:
    system = params.get("system")
    return system if isinstance(system, list) else []


def _prefix_tokens(params: Params) -> int:
    read = [params[name] for name in ("tools", "system", "output_config") if name in params]
    tokens = count(msgspec.json.encode(read).decode())
    return tokens - tokens % _BLOCK_TOKENS

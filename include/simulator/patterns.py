"""Write a text that matches a regular expression."""

import re
from collections.abc import Callable, Iterable
from re import _parser as parser  # type: ignore[attr-defined]  # the only parser there is
from typing import Any

_CATEGORIES = {"CATEGORY_DIGIT": "0", "CATEGORY_WORD": "a", "CATEGORY_SPACE": " "}
_ANYTHING = "a0 -_.A,:/@#"


def matching_text(pattern: str) -> str | None:
    """Return the simplest text that matches, or None if this is beyond simple patterns."""
    try:
        text = _sequence(parser.parse(pattern))
        return text if re.search(pattern, text) else None
    except (re.error, KeyError, IndexError, StopIteration):
        return None


def _sequence(nodes: Iterable[tuple[Any, Any]]) -> str:
    return "".join(_WRITERS[str(kind)](argument) for kind, argument in nodes)


def _repeated(argument: tuple[int, int, Any]) -> str:
    lowest, highest, nodes = argument
    return _sequence(nodes) * (lowest or min(1, highest))


def _one_of(choices: list[tuple[Any, Any]]) -> str:
    (kind, argument), *_ = choices
    if str(kind) == "NEGATE":
        forbidden = re.compile(f"[{re.escape(''.join(map(_member, choices[1:])))}]")
        return next(character for character in _ANYTHING if not forbidden.match(character))
    return _member((kind, argument))


def _member(choice: tuple[Any, Any]) -> str:
    kind, argument = choice
    if str(kind) == "RANGE":
        return chr(argument[0])
    return _CATEGORIES[str(argument)] if str(kind) == "CATEGORY" else chr(argument)


_WRITERS: dict[str, Callable[[Any], str]] = {
    "LITERAL": chr,
    "NOT_LITERAL": lambda code: next(text for text in _ANYTHING if text != chr(code)),
    "ANY": lambda _: "a",
    "AT": lambda _: "",
    "IN": _one_of,
    "BRANCH": lambda argument: _sequence(argument[1][0]),
    "SUBPATTERN": lambda argument: _sequence(argument[-1]),
    "MAX_REPEAT": _repeated,
    "MIN_REPEAT": _repeated,
}

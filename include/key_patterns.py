"""What object keys say: the named groups of a spec's `key_pattern`, as columns."""

import re
from collections.abc import Collection, Iterator
from contextlib import suppress
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from include.column_names import FIELD_NAME, RESERVED_COLUMNS
from include.errors import ConfigurationError
from include.identities import digest

if TYPE_CHECKING:
    import pyarrow as pa

MAX_CHARACTERS = 1_000
MAX_GROUPS = 32

_ATOM = r"(?:[\w/=. -]|\\[.dw]|\[\^?[\w/=.-]+\])"
_PLAIN = re.compile(rf"(?:\(\?P<\w+>|\(\?:|[|^$]|(?:{_ATOM}|\))(?:[*+?]\??)?)*", flags=re.ASCII)
"""Patterns that, where Python takes them, mean the same to RE2, which is slow to load."""


@dataclass(frozen=True)
class KeyPattern:
    """A regular expression with named groups, searched in keys.

    RE2 takes time that is linear in the length of a key, whatever the pattern: no pattern can hold
    up a night. It knows neither look-around nor backreferences.
    """

    text: str

    @cached_property
    def groups(self) -> tuple[str, ...]:
        """The names of the groups, in order.

        Raises:
            ValueError: RE2 does not take the pattern, or a group has no name.
        """
        if _PLAIN.fullmatch(self.text):
            with suppress(re.error):
                return tuple(re.compile(self.text).groupindex)
        return _re2_groups(self.text)

    @property
    def version(self) -> str:
        """A digest by which values are known to be of this pattern."""
        return digest("key_pattern", self.text, length=8)

    def check(self, spec_name: str, taken: Collection[str]) -> None:
        """Refuse what no columns can be made of.

        Args:
            spec_name: For the message.
            taken: Names that the answer has already.

        Raises:
            ConfigurationError: The pattern or the name of a group is not usable.
        """
        for problem in self._problems(taken):
            msg = f"spec {spec_name}: key_pattern: {problem}"
            raise ConfigurationError(msg)

    def values(self, keys: "pa.Array") -> dict[str, "pa.Array"]:
        """Return the text of each group in each key.

        It is null where the key does not match, and where the group is empty or took no part.
        """
        import pyarrow as pa  # noqa: PLC0415 - DAG files, which only name a pattern, need none
        import pyarrow.compute as pc  # noqa: PLC0415

        found = pc.extract_regex(keys, pattern=self.text)
        return {
            group: pc.if_else(pc.equal(column, ""), pa.scalar(None, pa.string()), column)
            for group, column in zip(self.groups, found.flatten(), strict=True)
        }

    def _problems(self, taken: Collection[str]) -> Iterator[str]:
        if len(self.text) > MAX_CHARACTERS:
            yield f"it has {len(self.text):,} characters, {MAX_CHARACTERS:,} fit"
        try:
            groups = self.groups
        except ValueError as error:
            yield (
                f"{error}; it is an RE2 expression: groups are (?P<name>…) or (?:…), and there is "
                "neither look-around nor a backreference"
            )
            return
        if not 0 < len(groups) <= MAX_GROUPS:
            yield (
                f"it has {len(groups)} named groups, such as (?P<customer>[^/]+); between 1 and "
                f"{MAX_GROUPS} fit"
            )
        for name in groups:
            if not FIELD_NAME.match(name) or name in RESERVED_COLUMNS:
                yield (
                    f"group {name!r} must match {FIELD_NAME.pattern} and not be one of "
                    f"{', '.join(sorted(RESERVED_COLUMNS))}"
                )
            if name in taken or groups.count(name) > 1:
                yield f"group {name!r} has the name of a field or of another group; rename it"


def _re2_groups(pattern: str) -> tuple[str, ...]:
    import pyarrow as pa  # noqa: PLC0415 - slow to load, and few patterns need it
    import pyarrow.compute as pc  # noqa: PLC0415

    found = pc.extract_regex(pa.array([], pa.string()), pattern=pattern)
    return tuple(field.name for field in found.type)

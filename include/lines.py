"""Lines: a spec's declaration that each line of its objects is a document."""

from collections.abc import Iterator
from dataclasses import dataclass

from include.errors import ConfigurationError


@dataclass(frozen=True, kw_only=True)
class Lines:
    """Each line of an object, which is JSON Lines, is a document of its own."""

    id_field: str | None = None
    """Field of a line that names it within its object: a string or a whole number. Without it a
    line goes by its number, and inserting one renames all that follow."""
    text_field: str | None = None
    """Field that is asked about; the whole line, as JSON, when None."""

    def check(self, spec_name: str) -> None:
        """Refuse what names no field.

        Raises:
            ConfigurationError: A field has an empty name.
        """
        for problem in self._problems():
            msg = f"spec {spec_name}: lines: {problem}"
            raise ConfigurationError(msg)

    def _problems(self) -> Iterator[str]:
        for name, value in (("id_field", self.id_field), ("text_field", self.text_field)):
            if value is not None and not value.strip():
                yield f"{name} is empty; name a field of a line, or leave it out"

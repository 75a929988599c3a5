"""Long documents: what a spec does with a document that is longer than `max_characters`."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, get_args

from include.answers import AnswerSchema
from include.errors import ConfigurationError
from include.merging import MergeRule, PartMerger, fitting_rules

LongMode = Literal["refuse", "truncate", "split"]

MAX_PARTS_LIMIT = 1_000
_OVERLAP_SHARE = 4
"""An overlap is at most a quarter of a part, so that every part brings something new."""


@dataclass(frozen=True, kw_only=True)
class LongDocuments:
    """What happens to documents that are longer than the spec's `max_characters`."""

    mode: LongMode = "refuse"
    """`refuse`: skipped as `too_long`. `truncate`: asked about their beginning, which the prompt
    and the warehouse say. `split`: asked about in parts, of which one answer is made."""
    max_parts: int = 20
    """A document that needs more is skipped as `too_long`; what a document may cost follows."""
    overlap_characters: int = 0
    """How much of the end of a part the next one begins with, at most."""
    merge: Mapping[str, MergeRule] = field(default_factory=dict)
    """How each field of the answer is made of those of the parts; for `split`."""

    def check(self, spec_name: str, schema: AnswerSchema, *, max_characters: int) -> None:
        """Refuse what could not be carried out.

        Raises:
            ConfigurationError: A number is out of bounds, or a field has no rule that fits it.
        """
        for problem in self._problems(schema, max_characters):
            msg = f"spec {spec_name}: long_documents: {problem}"
            raise ConfigurationError(msg)

    def merger(self, schema: AnswerSchema) -> PartMerger | None:
        """Return what merges answers about parts; None when there are none."""
        return PartMerger(schema, self.merge) if self.mode == "split" else None

    def version_parts(self, max_characters: int) -> tuple[Any, ...]:
        """Return what of this changes an answer to the same prompt: a part of `prompt_version`."""
        if self.mode != "split":
            return ()
        return ("split", max_characters, self.overlap_characters, dict(self.merge))

    def _problems(self, schema: AnswerSchema, max_characters: int) -> Iterator[str]:
        if self.mode not in get_args(LongMode):
            yield f"mode is one of {get_args(LongMode)}, not {self.mode!r}"
        elif self.mode == "split":
            yield from self._split_problems(max_characters)
            yield from self._merge_problems(schema)
        elif self.merge or self.overlap_characters:
            yield f"merge and overlap_characters are for mode 'split', not {self.mode!r}"

    def _split_problems(self, max_characters: int) -> Iterator[str]:
        if not 1 < self.max_parts <= MAX_PARTS_LIMIT:
            yield f"max_parts lies between 2 and {MAX_PARTS_LIMIT}, it is {self.max_parts}"
        most = max_characters // _OVERLAP_SHARE
        if not 0 <= self.overlap_characters <= most:
            yield (
                f"overlap_characters lies between 0 and {most}, a quarter of max_characters; it is "
                f"{self.overlap_characters}"
            )

    def _merge_problems(self, schema: AnswerSchema) -> Iterator[str]:
        nodes = schema.field_schemas()
        for name in self.merge.keys() - nodes.keys():
            yield f"merge names {name!r}, which is no field of the answer"
        for name, node in nodes.items():
            rule, fitting = self.merge.get(name), fitting_rules(node)
            if rule not in fitting:
                found = "has no rule" if rule is None else f"cannot be merged by {rule!r}"
                yield f"field {name!r} {found}; these fit its type: {', '.join(fitting)}"

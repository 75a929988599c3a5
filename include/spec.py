"""A spec: what to ask of which documents. One declaration, from which everything else follows."""

import datetime as dt
import json
import re
from collections import Counter
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from typing import Any, Literal, get_args

from croniter import croniter
from pydantic import BaseModel, ConfigDict, Field

from include import prompts
from include.answers import AnswerSchema, Column
from include.column_names import FIELD_NAME, RESERVED_COLUMNS
from include.errors import ConfigurationError
from include.identities import digest
from include.key_patterns import KeyPattern
from include.lines import Lines
from include.long_documents import LongDocuments
from include.output_schemas import JsonSchema
from include.tokens import PRICE_STEP_TOKENS, estimate_tokens
from include.vision import MAX_PAGES

SourceKind = Literal["last_modified", "date_prefix"]
Thinking = Literal["disabled", "adaptive"]
Caching = Literal["auto", "off", "5m", "1h"]
"""Whether the API is asked to cache what all requests begin with, and for how long."""

OverBudget = Literal["ask", "fail"]
_OVER_BUDGET = get_args(OverBudget)

_TABLE_ENDINGS = ("_enrichments", "_history", "_keys")
_PROMPT = re.compile(r"^[A-Za-z0-9_-]+\.md$")
_NAME = re.compile(r"^[a-z][a-z0-9_]{0,39}$")


@dataclass(frozen=True, kw_only=True)
class Source:
    """Where the documents of a spec lie, and how they belong to a night."""

    by: SourceKind
    """`date_prefix`: by the day in their key. `last_modified`: by when they were written."""
    prefix: str = ""
    """Key prefix; with `date_prefix` it holds `{ds}`, the day as YYYY-MM-DD."""
    suffixes: tuple[str, ...] = ()
    """Only keys that end like one of these; all when empty."""
    bucket: str | None = None
    """The bucket of the settings when None."""
    lines: Lines | None = None
    """Set where each line of an object is a document; else the object is one."""


@dataclass(frozen=True, kw_only=True)
class Spec:
    """What to ask, of which documents, of which model, and when."""

    name: str
    answer: type[BaseModel]
    """The answer's fields with types, bounds and descriptions."""
    prompt: str
    """File name below `include/prompts/`."""
    source: Source
    model: str = "claude-haiku-5-5"
    escalation_model: str | None = None
    """A stronger model for what `model` could not answer validly: asked in the last retry round,
    at its own price. Who is asked last is no other question: prompt_version stays."""
    thinking: Thinking = "disabled"
    caching: Caching = "auto"
    """`auto` caches for five minutes where past nights show that it pays. Not part of the question:
    prompt_version stays."""
    max_output_tokens: int = 1_024
    max_output_tokens_limit: int = 8_192
    """What a truncated answer is asked again with at most."""
    max_characters: int = 200_000
    """Most characters of a document, or of a part of one, in one request. 200,000 are about 80,000
    tokens: below the 100,000 at which the price of Haiku 5.5 rises fivefold."""
    beyond_price_step: bool = False
    """Whether `max_characters` may let prompts grow beyond that price step."""
    long_documents: LongDocuments = field(default_factory=LongDocuments)
    """What happens to documents that are longer."""
    vision: bool = False
    """Send PDFs and images that have no usable text as they are. Permission to ask about more
    documents, not another question: prompt_version stays, and nothing is bought again."""
    max_pages: int = 20
    """PDFs with more pages are not sent as they are. 20 pages are 60,000 tokens, or up to 100,000
    with large pictures: the price of Haiku 5.5 rises fivefold there."""
    key_pattern: str | None = None
    """Regular expression (RE2) that is searched in object keys. Its named groups become text
    columns of the views, null where a key does not match. No part of the question: changing it
    buys nothing."""
    revision: int = 1
    """Raise it to ask the same question anew."""
    schedule: str = "0 2 * * *"
    ready_within: dt.timedelta | None = None
    """How long after its start a scheduled night may take to be in the warehouse; later, people
    are told. Five hours: by 07:00 UTC. None tells nobody:
    Airflow 3.3.2 cannot clear a run whose deadline is open."""
    max_dead_letter_rate: float = 0.05
    """Share of dead letters among the documents worked on above which a night is red."""
    budget_usd: Decimal | None = None
    """What a night may cost by its forecast, unless the run's param says otherwise."""
    over_budget: OverBudget = "ask"
    """Above a budget a person is asked, or the run fails."""
    tags: tuple[str, ...] = field(default=())

    def __post_init__(self) -> None:
        """Refuse what could not be asked or stored.

        Raises:
            ConfigurationError: The spec, its prompt or its answer model is not usable.
        """
        if not _NAME.match(self.name):
            msg = f"spec name {self.name!r} must match {_NAME.pattern}"
            raise ConfigurationError(msg)
        if "__" in self.name or self.name.endswith(_TABLE_ENDINGS):
            msg = f"spec name {self.name!r} must not look like a table of another spec"
            raise ConfigurationError(msg)
        self._check_bounds()
        if (self.source.by == "date_prefix") != ("{ds}" in self.source.prefix):
            msg = f"spec {self.name}: a prefix has {{ds}} exactly when the source is by date_prefix"
            raise ConfigurationError(msg)
        if self.max_output_tokens > self.max_output_tokens_limit:
            msg = (
                f"spec {self.name}: max_output_tokens ({self.max_output_tokens}) is above "
                f"max_output_tokens_limit ({self.max_output_tokens_limit})"
            )
            raise ConfigurationError(msg)
        self.freeze()

    def _check_bounds(self) -> None:
        for is_fine, problem in (
            (croniter.is_valid(self.schedule), f"schedule {self.schedule!r} is no cron expression"),
            (bool(self.model), "model is empty"),
            (self.escalation_model != "", "escalation_model is empty; None means no escalation"),
            (self.escalation_model != self.model, "escalation_model is the model itself"),
            (self.thinking in get_args(Thinking), f"thinking is one of {get_args(Thinking)}"),
            (self.caching in get_args(Caching), f"caching is one of {get_args(Caching)}"),
            (self.max_output_tokens > 0, "max_output_tokens must be above 0"),
            (self.max_characters > 0, "max_characters must be above 0"),
            (0 < self.max_pages <= MAX_PAGES, f"max_pages lies between 1 and {MAX_PAGES}"),
            (self.budget_usd is None or self.budget_usd >= 0, "budget_usd must not be below 0"),
            (self.over_budget in get_args(OverBudget), f"over_budget is one of {_OVER_BUDGET}"),
            (
                self.ready_within is None or self.ready_within > dt.timedelta(0),
                "ready_within must be above 0; None means no alert",
            ),
            (0 <= self.max_dead_letter_rate <= 1, "max_dead_letter_rate lies between 0 and 1"),
            (_PROMPT.match(self.prompt) is not None, f"prompt {self.prompt!r} is no file name"),
        ):
            if not is_fine:
                msg = f"spec {self.name}: {problem}"
                raise ConfigurationError(msg)

    def freeze(self) -> "FrozenSpec":
        """Return the spec as a run uses it, prompt text and schema included."""
        schema = self._answer_schema()
        _check_fields(self.name, schema)
        if self.key_pattern is not None:
            KeyPattern(self.key_pattern).check(self.name, _taken_names(schema))
        if self.source.lines is not None:
            self.source.lines.check(self.name)
        self.long_documents.check(self.name, schema, max_characters=self.max_characters)
        prompt_text = _read_prompt(self.name, self.prompt)
        request_params: dict[str, Any] = {
            "model": self.model,
            "system": prompt_text,
            "thinking": {"type": self.thinking},
            "output_config": {"format": {"type": "json_schema", "schema": schema.output_schema}},
        }
        self._check_price_step(request_params)
        how = self.long_documents.version_parts(self.max_characters)
        return FrozenSpec(
            name=self.name,
            prompt_version=digest("prompt_version", request_params, self.revision, *how, length=16),
            prompt_text=prompt_text,
            model=self.model,
            escalation_model=self.escalation_model,
            caching=self.caching,
            answer_schema=schema.json_schema,
            request_params=request_params,
            source_by=self.source.by,
            source_prefix=self.source.prefix,
            source_suffixes=self.source.suffixes,
            source_bucket=self.source.bucket,
            source_lines=self.source.lines,
            max_output_tokens=self.max_output_tokens,
            max_output_tokens_limit=self.max_output_tokens_limit,
            max_characters=self.max_characters,
            vision=self.vision,
            max_pages=self.max_pages,
            long_documents=self.long_documents,
            key_pattern=self.key_pattern,
            max_dead_letter_rate=self.max_dead_letter_rate,
            budget_usd=self.budget_usd,
            over_budget=self.over_budget,
        )

    def _answer_schema(self) -> AnswerSchema:
        try:
            return AnswerSchema.from_model(self.answer)
        except ConfigurationError as error:
            msg = f"spec {self.name}: {error}"
            raise ConfigurationError(msg) from None

    def _check_price_step(self, request_params: dict[str, Any]) -> None:
        """Refuse prompts that could cost a multiple, unless the spec says that they may."""
        around = len(json.dumps(request_params, ensure_ascii=False))
        tokens = estimate_tokens(around + self.max_characters)
        if tokens > PRICE_STEP_TOKENS and not self.beyond_price_step:
            msg = (
                f"spec {self.name}: max_characters {self.max_characters:,} lets a prompt grow to "
                f"about {tokens:,} tokens; above {PRICE_STEP_TOKENS:,} all of it may cost a "
                "multiple. Lower max_characters, or set beyond_price_step=True"
            )
            raise ConfigurationError(msg)


class FrozenSpec(BaseModel):
    """A spec as one run uses it: written once, read by every later task of the run."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str
    prompt_version: str
    prompt_text: str
    model: str
    escalation_model: str | None = None
    caching: Caching = "auto"
    answer_schema: JsonSchema
    request_params: dict[str, Any]
    """`params` of a request without `max_tokens` and `messages`."""
    source_by: SourceKind
    source_prefix: str
    source_suffixes: tuple[str, ...]
    source_bucket: str | None
    source_lines: Lines | None = None
    max_output_tokens: int
    max_output_tokens_limit: int
    max_characters: int
    vision: bool = False
    max_pages: int = 20
    long_documents: LongDocuments = Field(default_factory=LongDocuments)
    key_pattern: str | None = None
    max_dead_letter_rate: float
    budget_usd: Decimal | None = None
    over_budget: OverBudget = "ask"

    @property
    def key_groups(self) -> tuple[str, ...]:
        """The columns that the keys of documents give, without those of the answer."""
        return KeyPattern(self.key_pattern).groups if self.key_pattern is not None else ()

    @property
    def models(self) -> tuple[str, ...]:
        """Every model that a run may ask, the spec's own first."""
        return (self.model, self.escalation_model) if self.escalation_model else (self.model,)

    @property
    def schema_of_answer(self) -> AnswerSchema:
        """The compiled answer schema."""
        return AnswerSchema(self.answer_schema)


def _check_fields(spec_name: str, schema: AnswerSchema) -> None:
    groups: list[tuple[Column, ...]] = [schema.columns]
    groups += [table.columns for table in schema.list_tables]
    for name in [*(column.name for group in groups for column in group), *_taken_names(schema)]:
        if name in RESERVED_COLUMNS or not FIELD_NAME.match(name):
            msg = (
                f"spec {spec_name}: field {name!r} must match {FIELD_NAME.pattern} and not be one "
                f"of {', '.join(sorted(RESERVED_COLUMNS))}"
            )
            raise ConfigurationError(msg)
    for group in groups:
        counts = Counter(column.name for column in group)
        if twice := [name for name, count in counts.items() if count > 1]:
            msg = (
                f"spec {spec_name}: two fields would be the column {twice[0]!r}; a nested field is "
                "parent__child, so rename one of them"
            )
            raise ConfigurationError(msg)


def _taken_names(schema: AnswerSchema) -> set[str]:
    """Return the names of the columns and lists of an answer."""
    columns = {column.name for column in schema.columns}
    return columns | {table.name for table in schema.list_tables}


def _read_prompt(spec_name: str, file_name: str) -> str:
    paths = (Path(folder, file_name) for folder in prompts.__path__)
    path = next((one for one in paths if one.is_file()), None)
    if path is None:
        msg = f"spec {spec_name}: no prompt file include/prompts/{file_name}"
        raise ConfigurationError(msg)
    text = path.read_text(encoding="utf-8")
    if not text.strip():
        msg = f"spec {spec_name}: the prompt file include/prompts/{file_name} is empty"
        raise ConfigurationError(msg)
    return text.strip()

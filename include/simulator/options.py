"""What one simulator is started with."""

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

AnswerMode = Literal["text", "instant"]


@dataclass(frozen=True, kw_only=True)
class Options:
    """How a simulator behaves when no fault is set."""

    database: Path
    seed: int = 0
    latency_seconds: float = 3.0
    """How long a batch takes from its creation to its end."""
    cancel_seconds: float = 1.0
    """How long a cancelled batch stays `canceling`."""
    answers: AnswerMode = "text"
    """`text` reads the documents, `instant` fills the schema without the language libraries."""
    cache_hit_rate: float = 0.6
    """Source: the documentation tells of 30 to 98 % in batches."""
    requests_per_minute: int = 4_000
    """Calls of the batch endpoints in one workspace. Source: rate limits, Scale tier."""
    queue_limit: int = 500_000
    """Requests of unfinished batches in one workspace. Source: rate limits, Scale tier."""
    max_body_bytes: int = 256_000_000
    """Source: Message Batches limits, 256 MB; whether MB or MiB is not documented."""
    results_base: str | None = None
    """Origin of `results_url`; that of the request when None."""
    conformance: bool = False
    """Answer the fixed ids and cursors that the SDK's own tests use."""

    @property
    def data_folder(self) -> Path:
        """Where the bodies and results of batches lie, beside the database."""
        return self.database.with_name(f"{self.database.name}-data")

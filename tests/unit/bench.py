"""A workbench for submissions: planned shards, a ledger, and a workspace to post to."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

from include.config import Settings
from include.entries import Entry
from include.ledger import Ledger
from include.submission import Submission, Submitted, Waiting
from tests.factories import RUN, approve, make_api, make_settings, make_store, open_shard
from tests.fakes import FakeAnthropicServer, FakeBatch, FakeClock, FakeS3, FakeWorkspace

TEXTS = ("one", "two", "three")


@dataclass
class Bench:
    """Everything that a submission touches, on one clock."""

    work_dir: Path
    settings: Settings = field(default_factory=make_settings)
    clock: FakeClock = field(default_factory=FakeClock)
    s3: FakeS3 = field(default_factory=FakeS3)

    @cached_property
    def ledger(self) -> Ledger:
        return Ledger(make_store(self.s3), "notes")

    @cached_property
    def workspace(self) -> FakeWorkspace:
        return FakeWorkspace(self.clock)

    @cached_property
    def server(self) -> FakeAnthropicServer:
        return FakeAnthropicServer(self.workspace)

    @cached_property
    def api(self) -> Any:
        return make_api(self.server.transport(), self.settings)

    def plan(self, texts: Sequence[str] = TEXTS, *, approved_by: tuple[str, ...] = (RUN,)) -> str:
        """Plan one shard, and return its id."""
        self.ledger.read_open()
        shard_id = open_shard(make_store(self.s3), self.work_dir, texts, clock=self.clock)
        approve(self.ledger, [shard_id], *approved_by)
        return shard_id

    def submission(self, shard_id: str, **changes: Any) -> Submission:
        """Return a worker's hands on a shard."""
        values: dict[str, Any] = {
            "shard_id": shard_id,
            "run_key": RUN,
            "ledger": self.ledger,
            "store": make_store(self.s3),
            "api": self.api,
            "settings": self.settings,
            "work_dir": self.work_dir,
            "now": self.clock,
            "monotonic": self.clock.monotonic,
            "pause": self.clock.advance,
        }
        return Submission(**(values | changes))

    def advance(self, shard_id: str, **changes: Any) -> Submitted | Waiting:
        """Let a worker do what can be done."""
        return self.submission(shard_id, **changes).advance()

    def entry(self, shard_id: str) -> Entry:
        return self.ledger.read(shard_id).record

    @property
    def look_seconds(self) -> float:
        """How long after an intent a lost POST may still become a batch."""
        settings = self.settings
        return (
            settings.start_allowance_seconds
            + settings.post_timeout_seconds
            + settings.settling_seconds
        )

    @property
    def accepted(self) -> list[FakeBatch]:
        return self.workspace.accepted

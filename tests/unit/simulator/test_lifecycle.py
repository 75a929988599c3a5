"""Any order of calls and clock ticks, against the little that must always hold."""

import shutil
import tempfile
from collections import Counter
from pathlib import Path

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    Bundle,
    RuleBasedStateMachine,
    consumes,
    initialize,
    invariant,
    rule,
)

from tests.unit.simulator.in_process import BATCHES, InProcessSimulator, make_request

ORDER = {"in_progress": 0, "canceling": 1, "ended": 2}
KEYS = ("mine", "yours")


class Lifecycle(RuleBasedStateMachine):
    batches = Bundle("batches")

    @initialize()
    def open(self):
        self.folder = Path(tempfile.mkdtemp())
        self.simulator = InProcessSimulator(self.folder)
        self.sizes: dict[tuple[str, str], int] = {}
        self.statuses: dict[str, str] = {}
        self.downloads: dict[str, list] = {}

    def teardown(self):
        if hasattr(self, "folder"):
            shutil.rmtree(self.folder)

    @rule(target=batches, key=st.sampled_from(KEYS), size=st.integers(1, 4))
    def create(self, key, size):
        requests = [make_request(f"r{number}") for number in range(size)]
        batch_id = self.simulator.create(*requests, key=key)
        self.sizes[key, batch_id] = size
        return key, batch_id

    @rule(batch=batches)
    def cancel(self, batch):
        key, batch_id = batch
        was_ended = self.statuses.get(batch_id) == "ended"
        reply = self.simulator.ask("POST", f"{BATCHES}/{batch_id}/cancel", key=key)
        assert (reply.status == 200) is not was_ended

    @rule(batch=consumes(batches))
    def delete(self, batch):
        key, batch_id = batch
        reply = self.simulator.ask("DELETE", f"{BATCHES}/{batch_id}", key=key)
        assert (reply.status == 200) == (self.statuses[batch_id] == "ended")
        if reply.status == 200:
            del self.sizes[key, batch_id]

    @rule(seconds=st.sampled_from([1, 61, 600, 90_000]))
    def advance(self, seconds):
        self.simulator.advance(seconds)

    @rule()
    def restart(self):
        self.simulator = InProcessSimulator(self.folder)

    @rule(batch=batches)
    def download(self, batch):
        key, batch_id = batch
        if self.statuses[batch_id] != "ended":
            return
        lines = self.simulator.results(batch_id, key=key)
        assert self.downloads.setdefault(batch_id, lines) == lines
        ids = [line["custom_id"] for line in lines]
        assert sorted(ids) == [f"r{number}" for number in range(self.sizes[batch])]
        shown = self.simulator.json("GET", f"{BATCHES}/{batch_id}", key=key)
        counts = {name: n for name, n in shown["request_counts"].items() if n}
        assert counts == Counter(line["result"]["type"] for line in lines)

    @rule(limit=st.integers(1, 3), key=st.sampled_from(KEYS))
    def page_through(self, limit, key):
        mine = [batch_id for owner, batch_id in self.sizes if owner == key]
        assert self._ids(key, limit, "after_id", "last_id") == mine[::-1]
        if mine:
            newer = self._ids(key, limit, "before_id", "first_id", before_id=mine[0])
            assert sorted(newer) == sorted(mine[1:])

    def _ids(self, key, limit, cursor, end, **query):
        page = self.simulator.json("GET", BATCHES, key=key, limit=limit, **query)
        found = [batch["id"] for batch in page["data"]]
        if page["has_more"]:
            found += self._ids(key, limit, cursor, end, **{cursor: page[end]})
        return found

    @invariant()
    def every_batch_is_as_documented(self):
        for (key, batch_id), size in getattr(self, "sizes", {}).items():
            shown = self.simulator.json("GET", f"{BATCHES}/{batch_id}", key=key)
            status, counts = shown["processing_status"], shown["request_counts"]
            assert ORDER[status] >= ORDER[self.statuses.get(batch_id, status)]
            self.statuses[batch_id] = status
            assert sum(counts.values()) == size
            assert counts["processing"] == (0 if status == "ended" else size)
            assert (shown["ended_at"] is None) == (shown["results_url"] is None)
            assert (shown["ended_at"] is None) == (status != "ended")
            other = KEYS[key == KEYS[0]]
            reply = self.simulator.ask("GET", f"{BATCHES}/{batch_id}", key=other)
            assert reply.status == 404


Lifecycle.TestCase.settings = settings(max_examples=15, stateful_step_count=12, deadline=None)
test_any_order_of_calls_keeps_the_promises = Lifecycle.TestCase

"""Everything that one simulator consists of, made from its options."""

from dataclasses import dataclass

from include.simulator.answers import Answerer
from include.simulator.archive import Archive
from include.simulator.fault_box import FaultBox
from include.simulator.options import Options
from include.simulator.rate_limit import RateLimit
from include.simulator.results import Results
from include.simulator.store import Store


@dataclass(frozen=True)
class World:
    """One simulator's parts."""

    options: Options
    store: Store
    archive: Archive
    faults: FaultBox
    answerer: Answerer
    results: Results
    rate_limit: RateLimit

    @property
    def cache_hit_rate(self) -> float:
        """Share of the requests of a new batch that find their prefix in the cache."""
        return self.store.setting("cache_hit_rate", self.options.cache_hit_rate)

    def reset(self) -> None:
        """Forget all batches, calls, faults, and the clock's advance."""
        self.store.reset()
        self.archive.keep_only(())
        self.rate_limit.reset()


def open_world(options: Options) -> World:
    """Open what the options name; what an earlier process left is found again."""
    store, archive = Store(options.database), Archive(options.data_folder)
    archive.keep_only({batch.batch_id for batch in store.batches("TRUE")})
    answerer = Answerer(options.answers, options.seed)
    return World(
        options=options,
        store=store,
        archive=archive,
        faults=FaultBox(store),
        answerer=answerer,
        results=Results(store, archive, answerer, options.seed),
        rate_limit=RateLimit(options.requests_per_minute),
    )

"""Foretell what a local folder would cost: `python -m include.folder_plan FOLDER SPEC`."""

import argparse
import datetime as dt
import sys
import tempfile
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from itertools import chain, islice
from pathlib import Path

import anthropic
import pyarrow as pa
import pyarrow.parquet as pq

from include.caching import CacheUse, choose_caching
from include.config import Settings
from include.documents.arguments import add_folder_arguments
from include.documents.extraction import Extraction, ExtractionLimits
from include.documents.fetching import Fetched, Original, unpacked
from include.documents.folders import FoundFile, extract_file, find_files
from include.documents.parallel import map_in_order
from include.documents.pool import ExtractionPool
from include.errors import ConfigurationError, PipelineError
from include.forecast import Forecast
from include.forecast_lines import forecast_lines
from include.forecasting import Forecasting
from include.joins import RequestJoins
from include.prices import PriceList
from include.request_index import RequestIndexWriter
from include.spec import FrozenSpec
from include.specs import load_catalog
from include.steps.build_requests import DocumentQuestion
from include.token_counting import ApiTokenCounter
from include.token_sampling import OpenCounter, TokenCounter

_AHEAD_PER_WORKER = 4
_FILES_PER_SLICE = 2_000
"""Places of requests are held for so many documents."""
_KNOWN = pa.schema([("request_id", pa.string()), ("known", pa.string())])
_NO_KEY = (
    "ANTHROPIC_API_KEY is not set: nothing is counted, a token is taken for 2.5 characters; set it "
    "to have a sample counted, which is free"
)
_INTERRUPTED_STATUS = 130


@dataclass
class FolderPlan:
    """What a night over a folder would ask, and what that would cost."""

    outcomes: Counter[str] = field(default_factory=Counter)
    """Documents by what would become of them."""
    forecast: Forecast | None = None
    remarks: list[str] = field(default_factory=list)

    def lines(self) -> Iterator[str]:
        """Yield the plan as a person reads it."""
        yield f"{self.outcomes.total():,} documents"
        width = max(map(len, self.outcomes), default=0)
        for name, count in sorted(self.outcomes.items(), key=lambda pair: (-pair[1], pair[0])):
            yield f"  {name.ljust(width)}  {count:>9,}"
        if self.forecast is not None:
            yield from forecast_lines(self.forecast)


class _Folder:
    """Segments in a local folder."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def read_range(self, key: str, *, start: int, length: int) -> bytes:
        with (self._path / key).open("rb") as file:
            file.seek(start)
            return file.read(length)


def plan_folder(
    folder: Path, spec: FrozenSpec, settings: Settings, open_counter: OpenCounter | None
) -> FolderPlan:
    """Read the files below a folder as a night would, and foretell what their answers cost.

    Raises:
        ConfigurationError: There is no such folder, or nobody knows the model's price.
    """
    if not folder.is_dir():
        msg = f"{str(folder)!r} is no folder; name one: make plan DOCS=folder SPEC={spec.name}"
        raise ConfigurationError(msg)
    files, remarks = find_files(folder, left_out=[])
    wanted = [file for file in files if file.key.endswith(spec.source_suffixes or ("",))]
    plan = FolderPlan(remarks=remarks)
    if len(wanted) < len(files):
        plan.outcomes["left out: suffix"] = len(files) - len(wanted)
    with tempfile.TemporaryDirectory(prefix="nightshift-plan-") as name:
        work_dir = Path(name)
        indexes = list(_build(wanted, plan, DocumentQuestion(spec, settings), settings, work_dir))
        pq.write_table(_KNOWN.empty_table(), work_dir / "known")
        with RequestJoins(work_dir, indexes, work_dir / "known") as joins:
            forecasting = Forecasting(
                prices=PriceList(settings.price_overrides),
                open_counter=open_counter,
                spacing_seconds=settings.count_spacing_seconds,
                caching=choose_caching(spec, CacheUse()),
            )
            now = dt.datetime.now(dt.UTC)
            pricing = forecasting.price(spec, joins, _Folder(work_dir), now)
            plan.forecast = pricing.forecast(
                joins.loads([]), lambda limits: joins.loads_above([], limits)
            )
    return plan


def _build(
    files: Sequence[FoundFile],
    plan: FolderPlan,
    question: DocumentQuestion,
    settings: Settings,
    work_dir: Path,
) -> Iterator[Path]:
    """Write the requests of all files in slices, and yield the index of each."""
    workers = settings.extraction_workers
    with ExtractionPool(ExtractionLimits.of(settings), workers=workers) as pool:
        fetched = map_in_order(
            lambda file: (file, _fetch(file, pool, question)),
            files,
            threads=workers * 2,
            ahead=workers * _AHEAD_PER_WORKER,
        )
        done = 0
        while group := list(islice(fetched, 1)):
            number = done // _FILES_PER_SLICE
            index_path = work_dir / f"index-{number}.parquet"
            segment = f"segment-{number}"
            with RequestIndexWriter(work_dir / segment, index_path, segment_key=segment) as index:
                for file, found in chain(group, islice(fetched, _FILES_PER_SLICE - 1)):
                    done += 1
                    _add(index, file, found, plan, question)
            _tell([f"{done:,} of {len(files):,} files"])
            yield index_path


def _add(
    index: RequestIndexWriter,
    file: FoundFile,
    found: Fetched,
    plan: FolderPlan,
    question: DocumentQuestion,
) -> None:
    for position, (row, line) in enumerate(question.ask(found)):
        index.add({"document_id": file.key, **row}, line)
        if position == 0:
            plan.outcomes[_outcome(row, found)] += 1


def _outcome(row: dict[str, object], found: Fetched) -> str:
    if row.get("fixed_state"):
        return f"{row['fixed_state']}: {row['fixed_reason']}"
    if isinstance(found, Original):
        return "asked about as it is"
    if row.get("part_count"):
        return "asked about in parts"
    return "asked about its beginning" if row.get("left_out_characters") else "asked about"


def _fetch(file: FoundFile, pool: ExtractionPool, question: DocumentQuestion) -> Fetched:
    extraction = extract_file(file, pool).extraction
    if extraction.picture is None or not question.is_to_be_looked_at(extraction):
        return extraction
    try:
        content = file.path.open("rb")
        document = unpacked(content, pool.limits)
    except OSError as error:
        return Extraction("unreadable", f"The file cannot be read: {error}", extraction.media_type)
    if document is not content:
        content.close()
    return Original(extraction, extraction.picture, document)


def main(arguments: Sequence[str] | None = None) -> None:
    """Foretell what the folder that the command line names would cost."""
    parser = argparse.ArgumentParser(prog="python -m include.folder_plan", description=__doc__)
    add_folder_arguments(parser)
    parser.add_argument("spec")
    options = parser.parse_args(arguments)
    try:
        spec = _read_spec(options.spec)
        settings = Settings.without_buckets().model_copy(
            update={"extraction_workers": options.workers}
        )
        open_counter = _open_counter()
        plan = plan_folder(options.folder, spec, settings, open_counter)
    except (PipelineError, OSError) as error:
        sys.exit(f"Nothing was planned: {error}")
    except KeyboardInterrupt:
        sys.exit(_INTERRUPTED_STATUS)
    _tell(plan.remarks)
    if open_counter is None:
        _tell([_NO_KEY])
    sys.stdout.writelines(f"{line}\n" for line in plan.lines())


def _read_spec(name: str) -> FrozenSpec:
    catalog = load_catalog()
    if name in catalog.specs:
        return catalog.specs[name].freeze()
    why = catalog.broken.get(name, f"there are {', '.join(sorted(catalog.specs))}")
    msg = f"there is no usable spec {name!r}: {why}"
    raise ConfigurationError(msg)


class _Counting(AbstractContextManager[TokenCounter]):
    """Keeps a client open while a sample is counted."""

    def __init__(self, client: anthropic.Anthropic) -> None:
        self._client = client

    def __enter__(self) -> TokenCounter:
        return ApiTokenCounter(self._client)

    def __exit__(self, *_: object) -> None:
        self._client.close()


def _open_counter() -> OpenCounter | None:
    client = anthropic.Anthropic()
    if not (client.api_key or client.auth_token):
        client.close()
        return None
    return lambda: _Counting(client)


def _tell(lines: Iterable[str]) -> None:
    sys.stderr.writelines(f"{line}\n" for line in lines)


if __name__ == "__main__":
    main()

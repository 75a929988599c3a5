"""Set operations over requests, on Parquet files: what is known, what is open, and the rest."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import duckdb
import pyarrow.parquet as pq

from include.packing import IndexRow
from include.request_index import INDEX_SCHEMA
from include.scratch import open_scratch


class RequestJoins:
    """The needed requests of a run beside what the warehouse and the ledger know."""

    def __init__(self, work_dir: Path, needed: Sequence[Path], known: Path) -> None:
        """Read the needed requests, each once, and the ids that the warehouse knows the end of."""
        self._database = open_scratch(work_dir)
        paths = [str(path) for path in needed or (_empty_index(work_dir),)]
        self._run(
            """
            create table needed as
            select
                request_id,
                min(document_id) as document_id,
                arg_min(enrichment_id, document_id) as enrichment_id,
                min(part_number) as part_number,
                min(part_count) as part_count,
                min(model) as model,
                arg_min(
                    case
                        when part_number is not null then 'part'
                        when left_out_characters is not null then 'truncated'
                        when picture_tokens is null then 'text'
                        when media_type = 'application/pdf' then 'document'
                        else 'image'
                    end,
                    document_id
                ) as shape,
                arg_min(prompt_characters, document_id) as prompt_characters,
                arg_min(picture_tokens, document_id) as picture_tokens,
                arg_min(segment_key, document_id) as segment_key,
                arg_min(frame_start, document_id) as frame_start,
                arg_min(frame_length, document_id) as frame_length,
                arg_min(line_start, document_id) as line_start,
                arg_min(line_length, document_id) as line_length
            from read_parquet($paths)
            where request_id is not null and fixed_state is null
            group by request_id
            """,
            paths=paths,
        )
        self._run(
            """
            create table long_documents as
            select
                count(distinct document_id) filter (where part_number is not null) as split_count,
                count(*) filter (where left_out_characters is not null) as truncated_count
            from read_parquet($paths)
            """,
            paths=paths,
        )
        self._run(
            "create table known as select distinct request_id from read_parquet($path)",
            path=str(known),
        )
        self._run("create table open_requests (request_id varchar, shard_id varchar)")
        self._run(
            """
            create view unknown as
            select * from needed where request_id not in (select request_id from known)
            """
        )
        self._run(
            """
            create view to_buy as
            select * from unknown where request_id not in (select request_id from open_requests)
            """
        )

    def __enter__(self) -> "RequestJoins":
        return self

    def __exit__(self, *_: object) -> None:
        self._database.close()

    def add_open(self, shard_id: str, path: Path) -> None:
        """Add requests that an open shard has, or has answered."""
        self._run(
            """
            insert into open_requests
            select request_id, $shard_id from read_parquet($path)
            """,
            shard_id=shard_id,
            path=str(path),
        )

    def add_failed(self, shard_id: str, path: Path, *, asked_alike: bool) -> None:
        """Add those failures of an open shard that asking again would not change.

        Args:
            shard_id: The shard.
            path: Its failures.
            asked_alike: The run would send the same words: what was paid for in vain stays so too.
        """
        self._run(
            """
            insert into open_requests
            select request_id, $shard_id from read_parquet($path)
            where
                followup = 'dead_letter'
                or ($asked_alike and outcome in ('truncated', 'invalid_output'))
            """,
            shard_id=shard_id,
            path=str(path),
            asked_alike=asked_alike,
        )

    def joined_shards(self) -> list[str]:
        """Return the open shards that hold a request of this run."""
        rows = self._run(
            """
            select distinct shard_id from open_requests
            where request_id in (select request_id from unknown) order by shard_id
            """
        ).fetchall()
        return [row[0] for row in rows]

    def to_buy(self) -> Iterator[IndexRow]:
        """Yield what is to be bought, by model, in the order in which it lies in the segments."""
        relation = self._database.cursor().sql(
            "select * from to_buy order by model nulls first, segment_key, frame_start, line_start"
        )
        reader: Any = relation.to_arrow_reader(10_000)
        for batch in reader:
            yield from batch.to_pylist()

    def samples(self, count: int) -> list[dict[str, Any]]:
        """Return the smallest requests of each shape that the warehouse does not know the end of.

        Open ones are among them: a run that plans again must find what it may submit.
        """
        found = self._run(
            """
            select shape, segment_key, frame_start, frame_length, line_start, line_length
            from unknown
            qualify
                row_number() over (partition by shape order by line_length, request_id) <= $count
            order by segment_key, frame_start, line_start
            """,
            count=count,
        )
        names = ["shape", "segment_key", "frame_start", "frame_length", "line_start", "line_length"]
        return [dict(zip(names, row, strict=True)) for row in found.fetchall()]

    def counts(self) -> dict[str, int]:
        """Return how many requests went which way, and of how many long documents they are."""
        needed, unknown, bought = self._run(
            """
            select
                (select count(*) from needed),
                (select count(*) from unknown),
                (select count(*) from to_buy)
            """
        ).fetchall()[0]
        split, truncated = self._run("from long_documents").fetchall()[0]
        return {
            "needed_count": needed,
            "known_count": needed - unknown,
            "joined_count": unknown - bought,
            "bought_count": bought,
            "split_count": split,
            "truncated_count": truncated,
        }

    def _run(self, statement: str, **values: Any) -> duckdb.DuckDBPyConnection:
        return self._database.execute(statement, values or None)


def _empty_index(work_dir: Path) -> Path:
    """Stand in for the index of a night without documents: DuckDB reads at least one file."""
    path = work_dir / "empty-index.parquet"
    pq.write_table(INDEX_SCHEMA.empty_table(), path)
    return path

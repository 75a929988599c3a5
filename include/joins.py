"""Set operations over requests, on Parquet files: what is known, what is open, and the rest."""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import duckdb
import pyarrow.parquet as pq

from include.forecast import ClassLoad
from include.packing import IndexRow
from include.request_index import INDEX_SCHEMA
from include.scratch import open_scratch

_LOADS = """
select
    token_class,
    cast(sum(bought) as bigint),
    sum(bought * usual),
    cast(sum(reused) as bigint),
    sum(reused * usual)
from (
    select
        coalesce(n.token_class, '') as token_class,
        n.prompt_characters / 2.5 + coalesce(n.picture_tokens, 0) as usual,
        cast(
            k.request_id is null and (o.request_id is null or o.is_own) as integer
        ) as bought,
        n.copies - cast(not coalesce(k.is_answered, false) as integer) as reused
    from needed as n
    left join known as k on k.request_id = n.request_id
    left join (
        select request_id, bool_or(list_contains($own_shards::varchar[], shard_id)) as is_own
        from open_requests group by request_id
    ) as o on o.request_id = n.request_id
)
where usual > coalesce(map($names::varchar[], $limits::double[])[token_class], $other_limit)
group by token_class
order by token_class
"""
_SAMPLE = """
select n.*
from (
    select token_class, unnest(min(request_id, $most)) as request_id
    from to_buy group by token_class
) as chosen
join to_buy as n on n.request_id = chosen.request_id
qualify row_number() over (partition by n.token_class order by n.request_id)
    <= coalesce(map($names::varchar[], $quotas::bigint[])[coalesce(n.token_class, '')], 0)
order by n.segment_key, n.frame_start, n.line_start
"""


class RequestJoins:
    """The needed requests of a run beside what the warehouse and the ledger know."""

    def __init__(self, work_dir: Path, needed: Sequence[Path], known: Path) -> None:
        """Read the needed requests, each once, and the ids that the warehouse knows the end of."""
        self._database = open_scratch(work_dir)
        self.first_index_count = pq.read_metadata(needed[0]).num_rows if needed else 0
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
                arg_min(token_class, document_id) as token_class,
                count(*) as copies,
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
            """
            create table known as
            select request_id, bool_or(known = 'answer') as is_answered
            from read_parquet($path)
            group by request_id
            """,
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

    def loads(self, own_shards: Sequence[str]) -> list[ClassLoad]:
        """Return what is to be bought, or is in the run's own open shards, by token class."""
        return self.loads_above(own_shards, {"": -1})

    def loads_above(
        self, own_shards: Sequence[str], limits: Mapping[str, float]
    ) -> list[ClassLoad]:
        """Return the same of the requests with more usual tokens than the limit of their class.

        Args:
            own_shards: Open shards that the run has planned.
            limits: By token class; the one of the empty name is that of all others.
        """
        rows = self._run(
            _LOADS,
            own_shards=list(own_shards),
            names=list(limits),
            limits=list(limits.values()),
            other_limit=limits[""],
        ).fetchall()
        return [ClassLoad(*row) for row in rows]

    def sample(self, quotas: Mapping[str, int]) -> list[IndexRow]:
        """Return some of what is to be bought, the same ones every time.

        Args:
            quotas: How many, by token class.
        """
        values = {
            "names": list(quotas),
            "quotas": list(quotas.values()),
            "most": max(quotas.values(), default=0),
        }
        relation = self._database.cursor().sql(_SAMPLE, params=values)
        found: list[IndexRow] = relation.to_arrow_table().to_pylist()
        return found

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

"""What the keys of a spec's objects say, kept beside its answers."""

import logging

import pyarrow as pa

from include.key_patterns import KeyPattern
from include.warehouse.session import Session
from include.warehouse.spec_tables import define_spec_keys, key_columns, merge_keys

logger = logging.getLogger(__name__)

KEYS_AT_ONCE = 100_000
_NO_PATTERN = "none"


def record_keys(
    session: Session, spec_name: str, key_pattern: str | None, *, at_once: int = KEYS_AT_ONCE
) -> int:
    """Read every key that the pattern has not read yet, and return how many were read.

    Each key is read once. Another pattern reads all of them again, which asks nobody and costs
    nothing; a column of a group that it no longer has becomes null.

    Args:
        at_once: How many keys are held in memory.
    """
    groups = key_columns(spec_name, (), session.catalog())
    if not groups:
        return 0
    pattern = None if key_pattern is None else KeyPattern(key_pattern)
    version = _NO_PATTERN if pattern is None else pattern.version
    define_spec_keys(session, spec_name)
    count = 0
    while True:
        unread = session.read(
            "read_unread_keys", spec=spec_name, key_pattern=version, row_limit=at_once
        ).read_all()
        if not unread.num_rows:
            break
        session.stage("keys", _rows(unread, groups, pattern, version).to_reader())
        merge_keys(session, spec_name, groups)
        count += unread.num_rows
    logger.info("read keys spec=%s count=%d", spec_name, count)
    return count


def _rows(
    unread: pa.Table, groups: list[str], pattern: KeyPattern | None, version: str
) -> pa.Table:
    keys = unread.column("object_key").combine_chunks()
    values = {} if pattern is None else pattern.values(keys)
    nothing = pa.nulls(len(keys), pa.string())
    return pa.table(
        {
            "document_uri": unread.column("document_uri"),
            "key_pattern": pa.repeat(pa.scalar(version), len(keys)),
            **{group: values.get(group, nothing) for group in groups},
        }
    )

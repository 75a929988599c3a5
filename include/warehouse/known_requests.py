"""Requests that the warehouse can answer already."""

import pyarrow as pa

from include.warehouse.session import Session
from include.warehouse.spec_tables import define_spec_enrichments
from include.warehouse.staging import NEEDED, stage_rows


def read_known_requests(
    session: Session, *, spec: str, prompt_version: str, needed: pa.RecordBatchReader
) -> pa.RecordBatchReader:
    """Return the needed requests that must not be bought as they are, by `request_id`.

    `known` is `answer`; or `dead_letter` with its `reason`: another document of the same content
    was given up under the same prompt version (a requeued dead letter is no longer known); or
    `failed`: the answer was paid for and not usable, so that only another question may be bought.
    `reason` is then the last outcome, with its `error_message` and the number of `attempts`.

    Args:
        needed: The columns of `staging.NEEDED`.
    """
    define_spec_enrichments(session, spec)
    stage_rows(session, "needed", needed, NEEDED)
    return session.read("read_known_requests", spec=spec, prompt_version=prompt_version)

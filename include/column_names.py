"""Which names a column of a spec may have: of a field of its answer, or of a group of its keys."""

import re

FIELD_NAME = re.compile(r"^[a-z][a-z0-9_]{0,58}$")

RESERVED_COLUMNS = frozenset(
    {
        "spec",
        "enrichment_id",
        "ordinal",
        "prompt_version",
        "answer_model",
        "is_simulated",
        "loaded_at",
        "document_uri",
        "document_id",
        "bucket",
        "object_key",
        "object_version",
        "last_modified_at",
        "is_stale",
        "is_reused",
        "key_pattern",
        "row_number",
        "part_number",
        "part_count",
        "part_answer",
        "left_out_characters",
        "is_current",
        "deleted_at",
        "batch_id",
        "request_id",
        "run_key",
        "attempt",
        "outcome",
        "followup",
        "stop_reason",
        "error_type",
        "error_message",
        "model",
        "input_tokens",
        "output_tokens",
        "cache_read_tokens",
        "cache_write_tokens",
        "thinking_tokens",
        "prompt_characters",
        "picture_tokens",
        "token_class",
        "cost_usd",
        "list_cost_usd",
    }
)
"""Columns of tables, views and result files, whose names no field and no group may take."""

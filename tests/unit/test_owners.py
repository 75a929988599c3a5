import pyarrow as pa

from include.owners import OWNERS, Owners


def test_columns_that_an_older_version_did_not_write_are_empty() -> None:
    owners = Owners(
        pa.table({"enrichment_id": ["e", "f"], "request_id": ["b", "a"], "document_id": ["d", "c"]})
    )
    assert owners.table.schema.equals(OWNERS)
    assert owners.table.slice(1).to_pylist() == [
        dict.fromkeys(OWNERS.names) | {"request_id": "a", "document_id": "c", "enrichment_id": "f"}
    ]
    assert owners.row_of == {"b": 0, "a": 1}

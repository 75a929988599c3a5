import json

import pytest

from tests.integration.warehouse.nights import Nights
from tests.integration.warehouse.programs import start

pytestmark = [pytest.mark.integration, pytest.mark.thorough]

ROWS = 1_000_000
PEAK_BYTES = 1_500_000_000
"""DuckDB lives in the process, with a limit of its own of a gigabyte."""


def test_memory_of_a_load_does_not_grow_with_its_rows(nights: Nights) -> None:
    program = """
        import sys
        from tests.integration.warehouse.large import main

        print(main(sys.argv[1], int(sys.argv[2])))
        """
    process = start(program, nights.database.place, str(ROWS))
    said, _ = process.communicate(timeout=1_800)
    told = json.loads(said)
    print(told)  # noqa: T201 - what it is run for
    assert (told["taken"], told["enriched"]) == (ROWS, ROWS)
    assert told["peak_bytes"] < PEAK_BYTES

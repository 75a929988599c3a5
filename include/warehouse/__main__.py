"""Writes the data dictionary: `python -m include.warehouse docs/data-dictionary.md`."""

import argparse
from pathlib import Path

from include.specs import load_catalog
from include.warehouse.dictionary import data_dictionary


def main() -> None:
    """Write the page."""
    parser = argparse.ArgumentParser(prog="python -m include.warehouse", description=__doc__)
    parser.add_argument("page", type=Path)
    page: Path = parser.parse_args().page
    page.write_text(data_dictionary(load_catalog().specs), encoding="utf-8")


if __name__ == "__main__":
    main()

"""Does what docs/adding-a-spec.md says, word for word, in a folder of its own."""

import importlib
import re
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from include import prompts, specs
from include.spec import Spec
from include.specs import load_catalog

PAGE = Path(__file__).parents[1] / "docs" / "adding-a-spec.md"
_FILE = re.compile(r"Write `include/(\w+/\w+\.\w+)`.*?```\w+\n(.*?)```", re.DOTALL)
_BLOCK = re.compile(r"```(\w+)\n(.*?)```", re.DOTALL)


@dataclass(frozen=True)
class Walkthrough:
    """The files that the page lets one write, where the project finds them."""

    root: Path

    def load(self) -> Spec:
        """Return the spec as the project loads it now."""
        sys.modules.pop("include.specs.invoices", None)
        importlib.invalidate_caches()
        load_catalog.cache_clear()
        catalog = load_catalog()
        assert catalog.broken == {}
        return catalog.specs["invoices"]

    def add_field(self) -> None:
        """Write the field of the page's last part in the class."""
        path = self.root / "specs" / "invoices.py"
        before, after = path.read_text().split("    lines: ")
        path.write_text(f"{before}{blocks('python')[-1]}    lines: {after}")


def blocks(language: str) -> list[str]:
    """Return the code of a language on the page."""
    return [code for found, code in _BLOCK.findall(PAGE.read_text()) if found == language]


@contextmanager
def walk_through(root: Path) -> Iterator[Walkthrough]:
    """Write the page's files, and let the project find them below `root`."""
    files = dict(_FILE.findall(PAGE.read_text()))
    assert set(files) == {"specs/invoices.py", "prompts/invoices.md"}
    for name, text in files.items():
        path = root / name
        path.parent.mkdir(parents=True)
        path.write_text(text)
    added = ((specs.__path__, str(root / "specs")), (prompts.__path__, str(root / "prompts")))
    for places, folder in added:
        places.append(folder)
    try:
        yield Walkthrough(root)
    finally:
        for places, folder in added:
            places.remove(folder)
        load_catalog.cache_clear()
        sys.modules.pop("include.specs.invoices", None)

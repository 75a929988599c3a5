from collections.abc import Iterator
from pathlib import Path

import pytest

from include import specs
from include.specs import SpecCatalog, load_catalog

GOOD = """
from include.spec import Source, Spec
from tests.factories import NoteAnswer

SPEC = Spec(
    name="{name}",
    answer=NoteAnswer,
    prompt="document_metadata.md",
    source=Source(by="last_modified"),
)
"""

TOO_MANY = """
from pydantic import create_model
from include.spec import Source, Spec

SPEC = Spec(
    name="broken_many_nulls",
    answer=create_model("Answer", **{f"x{n}": (str | None, ...) for n in range(17)}),
    prompt="document_metadata.md",
    source=Source(by="last_modified"),
)
"""


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[Path]:
    """A folder whose modules are specs of this deployment."""
    specs.__path__.append(str(tmp_path))
    yield tmp_path
    specs.__path__.remove(str(tmp_path))


def catalog_of(folder: Path, **modules: str) -> SpecCatalog:
    for name, source in modules.items():
        (folder / f"{name}.py").write_text(source)
    return load_catalog.__wrapped__()


@pytest.mark.parametrize(
    ("source", "complaint"),
    [
        (TOO_MANY, "spec broken_many_nulls: 17 nullable fields, 16 fit: x0, x1"),
        ("raise RuntimeError('boom')", "RuntimeError: boom"),
        ("SPEC = 1", "declares no SPEC"),
        ("", "declares no SPEC"),
        ("import nothing_of_this_name", "ModuleNotFoundError: No module named"),
        ("SPEC =", "SyntaxError"),
        (GOOD.format(name="another_name"), "declares the spec 'another_name'; name both alike"),
    ],
    ids=[
        "many nulls",
        "raises",
        "no spec",
        "empty",
        "no module",
        "no python",
        "another name",
    ],
)
def test_broken_spec_is_told_and_holds_up_no_other(
    folder: Path, source: str, complaint: str, request: pytest.FixtureRequest
) -> None:
    name = f"broken_{request.node.callspec.id.replace(' ', '_')}"
    good = f"good_beside_{name}"
    catalog = catalog_of(folder, **{name: source, good: GOOD.format(name=good)})
    assert complaint in catalog.broken[name]
    assert {good, "document_metadata"} <= set(catalog.specs)

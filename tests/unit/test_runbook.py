"""What the pages for operators name is there: commands, settings, DAGs, names, and error texts."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from include.config import PREFIX, Settings

PROJECT = Path(__file__).parents[2]
CODE = ("include", "dags", "plugins")
PAGES = [*sorted((PROJECT / "docs").glob("*.md")), PROJECT / "README.md"]
RUNBOOK = PROJECT / "docs" / "runbook.md"

FOREIGN = {
    # PostgreSQL, PgBouncer, libpq
    "cannot change …",
    "cannot drop columns from view",
    "permission denied …",
    "analysts",
    # the parts of Airflow, and what it says
    "timed_out",
    "spec.json",
    # what an operator types, or reads elsewhere
    "DuckDB",
}
"""Words that are not ours."""
VALUES = re.compile(
    r"\d+|(?<=tasks failed: )\w+|<\w+>"
    r"|\b(abandoned|spend_rejected|intent|submitted|If-None-Match)\b"
)
"""What stands in a text of the runbook where the code has a value."""
HOLE = "…"
EXAMPLES = {"enrich_invoices"}
"""DAGs that a page tells how to make."""


def fragments() -> list[str]:
    """Return what the runbook has in backticks, outside its blocks."""
    text = re.sub(r"```.*?```", "", RUNBOOK.read_text(), flags=re.DOTALL)
    return sorted(set(re.findall(r"`([^`\n]+)`", text)))


def sources() -> Iterator[Path]:
    for folder in CODE:
        for path in (PROJECT / folder).rglob("*"):
            if path.suffix in {".py", ".sql"} and "simulator" not in path.parts:
                yield path


@pytest.fixture(scope="module")
def source() -> str:
    return "\n".join(path.read_text() for path in sources())


@pytest.fixture(scope="module")
def templates() -> list[str]:
    """Every text of the code, with a hole for each value in it."""
    found = []
    for path in sources():
        if path.suffix != ".py":
            continue
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.JoinedStr):
                parts = [
                    part.value if isinstance(part, ast.Constant) else HOLE for part in node.values
                ]
                found.append("".join(map(str, parts)))
            elif isinstance(node, ast.Constant) and isinstance(node.value, str):
                found.append(re.sub(r"%[sd]", HOLE, node.value))
    return found


def is_said(text: str, templates: list[str]) -> bool:
    """Return whether the pieces of a text stand in one template, in their order."""
    pieces = [piece for piece in re.split(rf"{HOLE}+", VALUES.sub(HOLE, text)) if piece.strip(" .")]
    pattern = re.compile(".*".join(re.escape(piece.strip()) for piece in pieces), re.DOTALL)
    return any(pattern.search(template) for template in templates)


KINDS = {
    "target": r"make [a-z-]+( [A-Z]+=.*)?",
    "command": r"(airflow|docker|aws|select|drop|pool_mode|\{|AIRFLOW__|ledger/|shards/).*",
    "setting": rf"{PREFIX}.*",
    "state": rf"(pending|skipped): (\w+|{HOLE})",
    "name": r"[A-Za-z_.<>/-]+",
    "text": r".*",
}
"""What a fragment is: the first that fits."""


def kind_of(fragment: str) -> str | None:
    if fragment in FOREIGN:
        return None
    return next(kind for kind, pattern in KINDS.items() if re.fullmatch(pattern, fragment))


def of_kind(kind: str) -> list[str]:
    return [one for one in fragments() if kind_of(one) == kind]


@pytest.mark.parametrize("text", of_kind("text"))
def test_errors_that_the_runbook_explains_are_raised(text: str, templates: list[str]) -> None:
    words, _, _ = text.partition("=")  # a field, without its value
    assert is_said(words, templates)


def test_names_in_the_runbook_are_those_of_the_code(source: str) -> None:
    files = {str(path.relative_to(PROJECT)) for path in PROJECT.glob("[!.]*")}
    files |= {
        str(path.relative_to(PROJECT)) for folder in CODE for path in (PROJECT / folder).rglob("*")
    }
    unknown = [
        name
        for name in [*of_kind("name"), *(one.split()[1] for one in of_kind("state"))]
        if name not in files
        and not all(
            re.search(rf"\b{re.escape(word)}\b", source)
            for word in re.split(rf"[./<>{HOLE}]+|nightshift\b", name)
            if word
        )
    ]
    assert unknown == []


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_pages_name_targets_settings_and_dags_that_are_there(page: Path) -> None:
    text = page.read_text()
    targets = set(re.findall(r"^([a-z-]+):", (PROJECT / "Makefile").read_text(), re.MULTILINE))
    assert set(re.findall(r"(?:`|^)make ([a-z-]+)", text, re.MULTILINE)) <= targets
    settings = {f"{PREFIX}{name.upper()}" for name in Settings.model_fields}
    assert set(re.findall(rf"\b{PREFIX}[A-Z_]+\b", text)) <= settings
    dag_ids = {
        found
        for path in (PROJECT / "dags").glob("*.py")
        for found in re.findall(r"^def (\w+)|dag_id=\"(\w+)\"", path.read_text(), re.MULTILINE)
        for found in found
    } | {f"enrich_{path.stem}" for path in (PROJECT / "include" / "specs").glob("[!_]*.py")}
    named = set(re.findall(r"(?:DAG |--dag-id |dags pause )`?(\w+_\w+)`?", text))
    assert named - EXAMPLES <= dag_ids


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_of_pages_lead_somewhere(page: Path) -> None:
    links = re.findall(r"\]\((?!https?:)([^)#]*)(?:#[^)]*)?\)", page.read_text())
    assert [link for link in links if link and not (page.parent / link).exists()] == []

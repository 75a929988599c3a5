from pathlib import Path

import pytest

from local_stack.corpus import SourceFile, list_folder, list_installed_documents
from local_stack.errors import StackError


@pytest.fixture(scope="module")
def installed() -> list[SourceFile]:
    return list_installed_documents()


def test_the_installed_packages_bring_300_documents_of_more_than_4_formats(
    installed: list[SourceFile],
) -> None:
    assert len(installed) >= 300
    assert len({file.kind for file in installed}) > 4
    assert len({file.name for file in installed}) == len(installed)


def test_the_choice_is_the_same_every_time(installed: list[SourceFile]) -> None:
    assert list_installed_documents() == installed


def test_a_folder_gives_every_file_below_it(tmp_path: Path) -> None:
    (tmp_path / "inner").mkdir()
    (tmp_path / "b.txt").write_text("b")
    (tmp_path / "inner" / "a.TXT").write_text("a")
    assert [(file.name, file.kind) for file in list_folder(tmp_path)] == [
        ("b.txt", ".txt"),
        ("inner/a.TXT", ".txt"),
    ]


def test_an_empty_folder_is_refused(tmp_path: Path) -> None:
    with pytest.raises(StackError, match="holds no files"):
        list_folder(tmp_path)

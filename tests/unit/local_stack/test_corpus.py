from pathlib import Path

import pytest

from local_stack.corpus import list_folder, list_installed_documents
from local_stack.errors import StackError


def test_the_installed_packages_bring_300_documents_of_more_than_4_formats() -> None:
    files = list_installed_documents()
    assert len(files) >= 300
    assert len({file.kind for file in files}) > 4
    assert len({file.name for file in files}) == len(files)


def test_the_choice_is_the_same_every_time() -> None:
    assert list_installed_documents() == list_installed_documents()


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

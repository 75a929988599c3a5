import hashlib
import io
import json
from pathlib import Path

import pytest
import zstandard
from hypothesis import given, settings
from hypothesis import strategies as st

from include import blanking
from include.blanking import BlankingError, blank_lines
from include.segments import Place, SegmentWriter, read_lines
from tests.factories import make_store
from tests.fakes import FakeS3


def line(name: str, text: str) -> bytes:
    return json.dumps({"custom_id": name, "params": {"text": text}}).encode()


def write(path: Path, lines: list[bytes], lines_per_frame: int) -> list[Place]:
    file = io.BytesIO()
    writer = SegmentWriter(file, path.name)
    places: list[Place] = []
    for number, one in enumerate(lines, start=1):
        places += writer.append(one)
        if number % lines_per_frame == 0:
            places += writer.close_frame()
    places += writer.close_frame()
    path.write_bytes(file.getvalue())
    return places


def read(path: Path, places: list[Place]) -> list[bytes]:
    store = make_store(bucket := FakeS3())
    store.write(path.name, path.read_bytes())
    assert bucket.objects
    return list(read_lines(store, places))


@settings(max_examples=30)
@given(
    texts=st.lists(st.text(max_size=200), min_size=1, max_size=12, unique=True),
    doomed=st.sets(st.integers(0, 11)),
    lines_per_frame=st.integers(1, 12),
)
def test_only_the_lines_named_change_and_all_places_stay_true(
    tmp_path_factory: pytest.TempPathFactory,
    texts: list[str],
    doomed: set[int],
    lines_per_frame: int,
) -> None:
    """As requests are, no two lines are alike, and each is named by a digest."""
    path = tmp_path_factory.mktemp("blank") / "segment"
    names = [hashlib.sha256(text.encode()).hexdigest() for text in texts]
    gone = {name for number, name in enumerate(names) if number in doomed}
    lines = list(map(line, names, texts))
    places = write(path, lines, lines_per_frame)
    size = path.stat().st_size
    expected = [b" " * len(one) if n in doomed else one for n, one in enumerate(lines)]

    blanked = blank_lines(path, gone)

    assert blanked == len(gone)
    assert path.stat().st_size == size
    assert read(path, places) == expected
    assert blank_lines(path, gone) == 0


@pytest.mark.parametrize("gap", [0, 1, 7, 8, 300])
def test_what_a_frame_leaves_free_is_passed_over(tmp_path: Path, gap: int) -> None:
    path = tmp_path / "segment"
    frame = zstandard.ZstdCompressor().compress(line("a", "text") + b"\n")
    path.write_bytes(frame + blanking._filler(gap) + frame)
    assert blank_lines(path, {"a"}) == 2
    assert path.stat().st_size == 2 * len(frame) + gap


@pytest.mark.parametrize("damage", [b"no segment", b"\x28\xb5\x2f\xfd"], ids=["other", "cut"])
def test_file_that_is_no_segment_is_refused(tmp_path: Path, damage: bytes) -> None:
    path = tmp_path / "segment"
    path.write_bytes(damage)
    with pytest.raises(BlankingError, match="segment"):
        blank_lines(path, {"a"})


def test_frame_that_does_not_fit_is_refused_with_the_way_out(tmp_path: Path) -> None:
    with pytest.raises(BlankingError, match="SEGMENT_RETENTION_DAYS"):
        blanking._packed(b"text" * 9, 3, tmp_path / "segment")

import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from include.documents.extraction import NoTextError, Picture
from include.documents.formats.image import read
from tests.unit.documents.samples import make_image

KINDS = ("PNG", "JPEG", "GIF", "WEBP")
IMAGES = {kind: make_image(kind) for kind in KINDS}


def refused(content: bytes) -> NoTextError:
    with pytest.raises(NoTextError) as caught:
        read(content)
    return caught.value


@pytest.mark.parametrize("kind", KINDS)
def test_image_says_how_large_it_is(kind: str) -> None:
    content = make_image(kind, 1_200, 800)
    error = refused(content)
    assert (error.outcome, error.picture) == ("image_only", Picture(len(content), 1_200, 800))
    assert error.reason == "The object is a picture of 1,200 by 800 pixels."


@pytest.mark.parametrize("kind", KINDS)
def test_image_without_a_whole_header_is_corrupt(kind: str) -> None:
    error = refused(make_image(kind)[:14])
    assert (error.outcome, error.picture) == ("corrupt", None)


def test_only_the_header_is_read() -> None:
    assert refused(make_image("PNG", 900, 900)[:60]).outcome == "image_only"


@pytest.mark.parametrize("edge", [10_000, 60_000], ids=["warned of", "refused"])
def test_image_that_would_fill_the_memory_is_too_large(edge: int) -> None:
    header = bytearray(make_image("PNG"))
    header[16:24] = edge.to_bytes(4) * 2
    header[29:33] = zlib.crc32(header[12:29]).to_bytes(4)
    error = refused(bytes(header))
    assert (error.outcome, error.picture) == ("too_large", None)


@given(
    kind=st.sampled_from(KINDS),
    place=st.integers(4, 400),
    insertion=st.binary(max_size=20),
    cut=st.integers(0, 400),
)
def test_damaged_image_has_an_outcome(kind: str, place: int, insertion: bytes, cut: int) -> None:
    content = IMAGES[kind]
    content = content[:place] + insertion + content[place + len(insertion) : len(content) - cut]
    error = refused(content)
    assert (error.picture is not None) == (error.outcome == "image_only")

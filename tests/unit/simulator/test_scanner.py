import io
import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from include.simulator.scanner import MAX_SKELETON_BYTES, BodyScanner, SkeletonTooLargeError

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=10,
)


class Trickle(io.BytesIO):
    """Gives a few bytes at a time, whatever is asked for."""

    def read(self, size: int | None = -1) -> bytes:
        return super().read(min(7, size or 7) if size != -1 else 7)


@settings(max_examples=50, deadline=None)
@given(st.lists(st.dictionaries(st.text(), JSON, max_size=3), max_size=4), st.booleans())
def test_every_request_is_found_however_the_body_arrives(requests, is_indented):
    body = json.dumps(
        {"before": "]}{[", "requests": requests},
        indent=2 if is_indented else None,
        ensure_ascii=is_indented,
    ).encode()
    found = BodyScanner(Trickle(body))
    assert [json.loads(raw) for raw in found] == requests
    assert json.loads(found.skeleton) == {"before": "]}{[", "requests": [0] * len(requests)}


@pytest.mark.parametrize(
    "body", [b"", b"{", b'{"a', b'{"requests":[{"a":"', b"[]]", b'{"a":[1,{}', b'"\\']
)
def test_a_broken_body_leaves_a_broken_skeleton(body):
    found = BodyScanner(io.BytesIO(body))
    list(found)
    with pytest.raises(json.JSONDecodeError):
        json.loads(found.skeleton)


def test_what_is_no_object_stays_in_the_skeleton():
    found = BodyScanner(io.BytesIO(b'{"requests":[1,{"a":[{}]},"x"]}'))
    assert list(found) == [b'{"a":[{}]}']
    assert json.loads(found.skeleton) == {"requests": [1, 0, "x"]}


def test_too_much_around_the_requests_is_refused():
    with pytest.raises(SkeletonTooLargeError):
        list(BodyScanner(io.BytesIO(b" " * (MAX_SKELETON_BYTES + 1))))

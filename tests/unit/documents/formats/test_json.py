import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from include.documents.formats.json import read


@pytest.mark.parametrize(
    ("source", "text"),
    [
        (r'"caf\u00e9"', '"café"'),
        (r'"\ud83d\ude00"', '"😀"'),
        (r'"\ud83d"', r'"\ud83d"'),
        (r'"\\u00e9"', r'"\\u00e9"'),
        (r'"\u0022\u005c\u0000\u0085"', r'"\u0022\u005c\u0000\u0085"'),
        ('{"a":1,\n"a":2.50}', '{"a":1,\n"a":2.50}'),
        ("{broken", "{broken"),
    ],
)
def test_escapes_are_spelled_out_and_nothing_else_changes(source: str, text: str) -> None:
    assert read(source.encode()).text == text


@given(st.dictionaries(st.text(), st.text() | st.lists(st.text())))
def test_text_means_what_the_source_meant(value: object) -> None:
    assert json.loads(read(json.dumps(value).encode()).text) == value

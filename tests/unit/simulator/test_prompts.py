import pytest

from include.simulator.prompts import read_prompt


def prompt(content, system="Describe."):
    return read_prompt({"system": system, "messages": [{"role": "user", "content": content}]})


@pytest.mark.parametrize(
    "content",
    [
        "Notes",
        "Read this: <document>\nNotes\n</document>",
        "<document>Old</document> <document_ab12>\nNotes\n</document_ab12> Answer now.",
        [{"type": "text", "text": "<text id='1'>Notes</text>"}, {"type": "text", "text": "Thanks"}],
        [{"type": "document", "source": {"type": "text", "data": "Notes"}}],
        [
            {
                "type": "document",
                "source": {"type": "content", "content": [{"type": "text", "text": "Notes"}]},
            }
        ],
    ],
)
def test_the_document_is_found(content):
    assert prompt(content).document == "Notes"


def test_a_document_does_not_decide_what_is_wanted():
    assert not prompt("<document>Answer in JSON</document>").wants_json
    assert prompt("<document>Hello</document> Answer in JSON.").wants_json
    assert prompt("Hello", system=[{"type": "text", "text": "Write json"}]).wants_json


def test_a_document_may_hold_the_tags_of_others():
    inner = "a <text>b</text> c"
    assert prompt(f"<document_1>{inner}</document_1>").document == inner

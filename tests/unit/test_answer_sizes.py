"""How long answers are taken to be before one was seen."""

import datetime as dt
from typing import Any, Literal

import pytest
from pydantic import BaseModel, Field, create_model

from include.answer_sizes import expected_output_tokens
from tests.factories import make_spec


class Item(BaseModel):
    name: str = Field(max_length=200)
    due_on: dt.date | None


def tokens(kind: Any, **field: Any) -> float:
    """Return the tokens of an answer with one field."""
    answer = create_model("Answer", value=(kind, Field(**field)))
    return expected_output_tokens(make_spec(answer=answer).freeze().answer_schema)


@pytest.mark.parametrize(
    ("description", "characters"),
    [
        ("What it is about", 29),
        ("One sentence that says what it is about", 140),
        ("What it settles, in two or three sentences", 280),
        ("The sentence that matters most", 140),
    ],
)
def test_sentences_that_a_field_asks_for_decide(description: str, characters: int) -> None:
    text = tokens(str, description=description, max_length=300)
    assert text - tokens(bool) == pytest.approx((characters + 2 - 5) / 2.5, abs=0.5)


def test_no_string_is_longer_than_its_bound() -> None:
    asked = "Two sentences"
    short, long = (tokens(str, max_length=most, description=asked) for most in (100, 500))
    assert long - short == pytest.approx((280 - 100) / 2.5)


@pytest.mark.parametrize(
    ("shorter", "longer"),
    [
        pytest.param((bool, {}), (str, {}), id="a flag and a text"),
        pytest.param((str, {"pattern": "^[A-Z]{3}$"}), (str, {}), id="a code and a text"),
        pytest.param((str | None, {}), (str, {}), id="what may be absent"),
        pytest.param((Literal["a", "b"], {}), (Literal["alphabet", "b"], {}), id="choices"),
        pytest.param((list[str], {"max_length": 1}), (list[str], {}), id="one and several"),
        pytest.param((list[str], {"max_length": 2}), (list[Item], {"max_length": 2}), id="objects"),
        pytest.param((dt.date, {}), (dt.datetime, {}), id="a day and a moment"),
    ],
)
def test_more_to_say_takes_more_tokens(shorter: Any, longer: Any) -> None:
    assert tokens(shorter[0], **shorter[1]) < tokens(longer[0], **longer[1])

import random

import jsonschema
import pytest

from include.simulator.results import shuffled
from tests.unit.simulator.in_process import InProcessSimulator, make_request


def test_shuffling_keeps_every_line_and_holds_only_some():
    lines = [b"%d\n" % number for number in range(3_000)]
    first, second = (list(shuffled(lines, random.Random(1))) for _ in range(2))  # noqa: S311 - no secret
    assert first == second != lines
    assert sorted(first) == sorted(lines)


def test_an_interrupted_download_leaves_nothing_behind(simulator):
    batch_id = simulator.create(*[make_request(f"r{number}") for number in range(3)])
    simulator.advance(600)
    (batch,) = simulator.world.store.batches("batch_id = ?", (batch_id,))
    lines = simulator.world.results.lines(batch)
    next(lines)
    lines.close()
    names = [path.name for path in simulator.options.data_folder.iterdir()]
    assert names == [f"{batch_id}.requests.jsonl.zst"]


def test_what_becomes_of_a_request_does_not_depend_on_its_batch(tmp_path):
    simulator = InProcessSimulator(tmp_path, seed=3)
    simulator.set_fault(kind="overloaded", rate=0.5, times=None)
    outcomes = []
    for _ in range(2):
        batch_id = simulator.create(*[make_request(f"r{number}") for number in range(20)])
        simulator.advance(600)
        lines = simulator.results(batch_id)
        outcomes.append({line["custom_id"]: line["result"]["type"] for line in lines})
    assert outcomes[0] == outcomes[1]
    assert set(outcomes[0].values()) == {"succeeded", "errored"}


def test_an_answer_longer_than_allowed_is_cut(simulator):
    batch_id = simulator.create(make_request(text="A long sentence of many words.", max_tokens=2))
    simulator.advance(600)
    message = simulator.results(batch_id)[0]["result"]["message"]
    assert message["stop_reason"] == "max_tokens"
    assert message["usage"]["output_tokens"] == 2
    assert message["content"][0]["text"] == "A lon"


@pytest.mark.parametrize("choice", [{"type": "any"}, {"type": "tool", "name": "note"}])
def test_a_tool_that_must_be_called_is_called_with_what_its_schema_asks_for(simulator, choice):
    schema = {"type": "object", "properties": {"sentiment": {"enum": ["positive", "negative"]}}}
    tools = [{"name": "note", "input_schema": schema}]
    request = make_request(text="A wonderful terminal.", tools=tools, tool_choice=choice)
    batch_id = simulator.create(request)
    simulator.advance(600)
    message = simulator.results(batch_id)[0]["result"]["message"]
    assert message["stop_reason"] == "tool_use"
    (call,) = message["content"]
    assert (call["type"], call["name"]) == ("tool_use", "note")
    jsonschema.validate(call["input"], schema)
    assert message["usage"]["output_tokens"] > 0


def test_where_a_tool_may_be_called_the_answer_is_words(simulator):
    request = make_request(tools=[{"name": "note"}], tool_choice={"type": "auto"})
    batch_id = simulator.create(request)
    simulator.advance(600)
    message = simulator.results(batch_id)[0]["result"]["message"]
    assert message["content"][0]["type"] == "text"

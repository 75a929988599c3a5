import pytest

from include.turns import Turn, Turns
from tests.factories import make_store
from tests.fakes import FakeS3


def turn(run_key: str, *shard_ids: str) -> Turn:
    return Turn(run_key=run_key, spec="notes", shard_ids=shard_ids)


@pytest.fixture
def s3() -> FakeS3:
    return FakeS3()


@pytest.fixture
def turns(s3: FakeS3) -> Turns:
    return Turns(make_store(s3))


def test_a_run_counts_those_before_it_and_itself(turns: Turns) -> None:
    for one in ("a", "b", "c"):
        taken = turns.take(turn(f"run-{one}", one))
    assert taken.until("run-b", "notes") == {"a", "b"}


def test_turn_that_is_taken_again_keeps_its_place(turns: Turns) -> None:
    """Others have counted it; what the run buys beyond that comes after them."""
    turns.take(turn("run-a", "a"))
    turns.take(turn("run-b", "b"))
    assert turns.take(turn("run-a", "a")).until("run-a", "notes") == {"a"}
    assert turns.take(turn("run-a", "a", "a2")).until("run-a", "notes") == {"a", "b", "a2"}


def test_turn_that_was_given_up_counts_no_longer_and_comes_last_when_taken_again(
    turns: Turns,
) -> None:
    turns.take(turn("run-a", "a"))
    turns.give_up(turn("run-a", "a"))
    assert turns.take(turn("run-b", "b")).until("run-b", "notes") == {"b"}
    assert turns.take(turn("run-a", "a")).until("run-b", "notes") == {"b"}


def test_joined_shard_counts_for_the_run_that_goes_on(turns: Turns) -> None:
    turns.take(turn("run-a", "shared"))
    turns.take(turn("run-b", "shared"))
    turns.give_up(turn("run-a", "shared"))
    assert turns.take(turn("run-c", "c")).until("run-c", "notes") == {"shared", "c"}


def test_turns_of_closed_shards_are_forgotten(turns: Turns) -> None:
    known = turns.take(turn("run-a", "a"))
    turns.take(turn("run-b", "b"))
    turns.drop_closed(known, ["x"])
    taken = turns.take(turn("run-c", "c"))
    assert [one.run_key for one in taken.turns] == ["run-b", "run-c"]


def test_lost_answer_to_a_turn_is_read_again(s3: FakeS3, turns: Turns) -> None:
    s3.fail_once("put", "turns.json", "lost")
    assert len(turns.take(turn("run-a", "a")).turns) == 1

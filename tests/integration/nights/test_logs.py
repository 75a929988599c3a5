"""What is said of a document, and to whom, is in no log, whatever its level."""

import logging
from collections.abc import Iterator
from dataclasses import replace
from io import StringIO

import pytest

from include import prompts
from include.library_logs import TALKATIVE, quiet_libraries
from tests.integration.night_world import World

pytestmark = pytest.mark.integration

TEXT = "the-text-of-a-document"
PROMPT = "the-words-of-a-prompt"
KEY = "sk-ant-the-key-of-the-account"


@pytest.fixture
def log() -> Iterator[StringIO]:
    """Everything that any logger says at DEBUG, tracebacks included."""
    log, root = StringIO(), logging.getLogger()
    handler, level = logging.StreamHandler(log), root.level
    own_levels = {name: logging.getLogger(name).level for name in TALKATIVE}
    root.addHandler(handler)
    root.setLevel(logging.DEBUG)
    yield log
    root.removeHandler(handler)
    root.setLevel(level)
    for name, own in own_levels.items():
        logging.getLogger(name).setLevel(own)


def run_marked_night(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """Run a night in which something fails, retries and is given up."""
    folder = world.night.work_dir / "prompts"
    folder.mkdir(parents=True)
    (folder / "marked.md").write_text(f"{PROMPT}: describe the document.")
    monkeypatch.setattr(prompts, "__path__", [*prompts.__path__, str(folder)])
    world.upload("a", "b", "c", "d", text=f"{TEXT} of {{name}}")
    world.simulator.set_faults(
        {"kind": "refusal", "rate": 0.4, "times": None},
        {"kind": "bad_json", "rate": 0.4, "times": 1},
    )
    with world.simulator.client(KEY) as client:
        night = world.night.another(
            anthropic=client, spec=replace(world.night.spec, prompt="marked.md")
        )
        plan = night.plan_shards([night.build_requests(key) for key in night.list_documents()])
        night.approval(plan).preflight(night.probes(), spare_usd=None)
        night.run()


def test_texts_prompts_and_keys_are_in_no_log(
    world: World, log: StringIO, monkeypatch: pytest.MonkeyPatch
) -> None:
    quiet_libraries()
    run_marked_night(world, monkeypatch)
    said = log.getvalue()
    assert "collected shard=" in said
    for secret in (TEXT, PROMPT, KEY, world.night.s3._request_signer._credentials.secret_key):
        assert secret not in said


def test_the_libraries_would_say_it(
    world: World, log: StringIO, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Should this fail, they keep quiet by themselves, and need not be told any more."""
    for name in TALKATIVE:
        logging.getLogger(name).setLevel(logging.NOTSET)
    run_marked_night(world, monkeypatch)
    assert PROMPT in log.getvalue()


def test_a_library_that_was_told_to_talk_is_quieted(
    log: StringIO, monkeypatch: pytest.MonkeyPatch
) -> None:
    logging.getLogger("anthropic").setLevel(logging.DEBUG)
    child = logging.getLogger("botocore.endpoint")
    monkeypatch.setattr(child, "level", logging.DEBUG)
    quiet_libraries()
    assert not child.isEnabledFor(logging.DEBUG)
    assert not logging.getLogger("anthropic._base_client").isEnabledFor(logging.DEBUG)
    assert log.getvalue() == ""

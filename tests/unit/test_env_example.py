"""`.env.example` and the settings say the same."""

import re
from pathlib import Path

from include.config import PREFIX, Settings

LINE = re.compile(rf"^(# )?{PREFIX}(?P<name>\w+)=(?P<value>.*)$", re.MULTILINE)


def test_env_example_names_every_setting_with_its_default() -> None:
    example = (Path(__file__).parents[2] / ".env.example").read_text()
    named = {match["name"].lower(): match["value"] for match in LINE.finditer(example)}
    assert named == {
        name: "" if field.is_required() else str("" if field.default is None else field.default)
        for name, field in Settings.model_fields.items()
    }

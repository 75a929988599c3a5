"""Asks a database of vulnerabilities about every package that is pinned."""

import datetime as dt
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Iterable, Iterator
from pathlib import Path

from local_stack.errors import StackError
from local_stack.processes import BIN

LOCK = "requirements-dev.lock"
"""Everything: it is locked on top of the other two."""
IGNORES = Path(".audit-ignores")
DATABASE = "https://api.osv.dev/v1/query"
REACH_SECONDS = 5


def read_ignores(lines: Iterable[str], today: dt.date) -> Iterator[str]:
    """Yield the ids of findings that do not concern us today.

    Args:
        lines: `<id> <last day> <reason>` each; empty ones and `#` are comments.
        today: A finding whose last day is over is reported again.

    Raises:
        StackError: A line has no day or no reason.
    """
    for line in lines:
        if not line.strip() or line.startswith("#"):
            continue
        words = line.split(maxsplit=2)
        try:
            finding, until, _reason = words[0], dt.date.fromisoformat(words[1]), words[2]
        except (IndexError, ValueError):
            msg = f"{IGNORES}: {line.strip()!r} is not '<id> <last day> <reason>'"
            raise StackError(msg) from None
        if until >= today:
            yield finding


def is_reachable() -> bool:
    """Return whether the database answers from here."""
    try:
        with urllib.request.urlopen(DATABASE, b"{}", timeout=REACH_SECONDS):
            return True
    except urllib.error.HTTPError:
        return True  # it refuses the question, so it is there
    except OSError:
        return False


def audit(*, is_optional: bool) -> int:
    """Audit the pinned packages, and return the exit code.

    Args:
        is_optional: An unreachable database is a warning, not a failure.
    """
    if not is_reachable():
        kind = "warning" if is_optional else "error"
        print(f"{kind}: {DATABASE} cannot be reached; the packages were NOT audited")
        return 0 if is_optional else 1
    lines = IGNORES.read_text().splitlines()
    ignored = [
        f"--ignore-vuln={one}" for one in read_ignores(lines, dt.datetime.now(dt.UTC).date())
    ]
    command = [str(BIN / "pip-audit"), "--requirement", LOCK, "--disable-pip"]
    options = ["--progress-spinner=off", "--vulnerability-service=osv", *ignored]
    return subprocess.call([*command, *options])


if __name__ == "__main__":
    sys.exit(audit(is_optional="--if-reachable" in sys.argv))

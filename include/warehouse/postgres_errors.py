"""What PostgreSQL's errors mean for a task, said without the password."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Self
from urllib.parse import parse_qsl, quote, unquote, urlencode, urlsplit, urlunsplit

from adbc_driver_manager import Error

from include.errors import ConfigurationError, PermanentError, PipelineError, TransientError

_DEFAULTS = {"connect_timeout": "20", "keepalives_idle": "60", "keepalives_interval": "10"}
_PASSING = (
    "08",  # connection exception
    "40",  # transaction rollback: serialization, deadlock
    "53",  # insufficient resources: memory, disk, connections
    "57",  # operator intervention: shutdown, restart, cancelled, timed out
    "58",  # system error outside the database
    "55P03",  # a lock was not free in time
    "25P03",  # idle for too long
)
_REFUSALS = {
    "28": "check login and password of the connection",
    "3D": "create the database, or name another in the connection's schema field",
    "42501": "grant the user what it lacks; docs/runbook.md has the statement",
    "25006": "the connection leads to a server that only reads; name the one that is written to",
    "42P16": "drop the view, it is made anew",
    "2BP01": "drop what depends on it first",
}
_CONNECT_REFUSALS = (
    (
        re.compile(r"password authentication failed|no password|pg_hba\.conf|role .* not exist"),
        "28",
    ),
    (re.compile(r"database .* does not exist"), "3D"),
    (re.compile(r"permission denied"), "42501"),
)
_MALFORMED = re.compile(r"failed to connect: (invalid|missing|unexpected)|SSL|certificate", re.I)
_SAID = re.compile(r"(?:ERROR|FATAL|PANIC):\s+(.*)")
_LONGEST = 300


@dataclass(frozen=True, slots=True)
class PostgresAddress:
    """Where a database is; only `uri` knows the password."""

    uri: str = field(repr=False)
    shown: str
    """Host, port and database, for messages."""
    secrets: frozenset[str] = field(repr=False)

    @classmethod
    def parse(cls, uri: str) -> Self:
        """Read an address, and add what keeps a connection from hanging.

        Raises:
            ConfigurationError: It is none.
        """
        parts = urlsplit(uri)
        if parts.scheme not in {"postgresql", "postgres"}:
            msg = "the address of a PostgreSQL warehouse begins with postgresql://"
            raise ConfigurationError(msg)
        given = dict(parse_qsl(parts.query, keep_blank_values=True))
        credentials, _, place = parts.netloc.rpartition("@")
        password = credentials.partition(":")[2]
        secrets = {
            password,
            unquote(password),
            given.get("password", ""),
            given.get("sslpassword", ""),
        }
        query = urlencode(_DEFAULTS | given, quote_via=quote)
        return cls(
            urlunsplit(parts._replace(query=query)),
            f"{place or given.get('host', '')}{parts.path}",
            frozenset(secrets - {""}),
        )

    def without_secrets(self, text: str) -> str:
        """Return a text without passwords."""
        for secret in sorted(self.secrets, key=len, reverse=True):
            text = text.replace(secret, "***")
        return text


@contextmanager
def reported(address: PostgresAddress, doing: str) -> Iterator[None]:
    """Raise what a driver's error means, in one line.

    Raises:
        TransientError: The server is away, busy or was interrupted.
        ConfigurationError: Somebody must set something right.
        PermanentError: A bug, or data that the database refuses.
    """
    try:
        yield
    except Error as error:
        raise _translated(address, doing, error) from error


def sealed_error(address: PostgresAddress, error: Error) -> PipelineError:
    """Return what an error of connecting means: here the driver tells no code, only a text."""
    text = address.without_secrets(str(error).partition("\n")[0])
    said = f"PostgreSQL {address.shown} takes no connection: {text}"
    code = next((code for words, code in _CONNECT_REFUSALS if words.search(text)), None)
    if code is not None:
        return ConfigurationError(f"{said}; {_REFUSALS[code]}")
    if _MALFORMED.search(text):
        return ConfigurationError(f"{said}; correct the extras of the connection")
    return TransientError(f"{said}; it is tried again")


def _translated(address: PostgresAddress, doing: str, error: Error) -> PipelineError:
    code = error.sqlstate or ""
    said = f"PostgreSQL {address.shown}, {doing}: {_message(error)}"
    if not code or code.startswith(_PASSING):
        return TransientError(f"{said}; it is tried again")
    for refusal, remedy in _REFUSALS.items():
        if code.startswith(refusal):
            return ConfigurationError(f"{said}; {remedy}")
    return PermanentError(f"{said} (SQLSTATE {code})")


def _message(error: Error) -> str:
    """Return the server's sentence alone: the rest may quote statements and rows."""
    text = str(error)
    said = _SAID.search(text)
    return (said[1] if said else text.partition("\n")[0]).strip()[:_LONGEST]

"""What an error of S3 means: whether another try may help, and how to say it."""

from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    NoCredentialsError,
    ParamValidationError,
    PartialCredentialsError,
)

_SERVER_ERROR = 500
_TOO_MANY_REQUESTS = 429

_TRANSIENT_CODES = {
    "ExpiredToken",
    "ExpiredTokenException",
    "OperationAborted",
    "RequestTimeTooSkewed",
    "RequestTimeout",
    "SlowDown",
    "Throttling",
    "ThrottlingException",
    "TokenRefreshRequired",
}
"""Codes with a 4xx status that pass; a session that has run out is renewed by the next attempt."""


def is_transient(error: ClientError | BotoCoreError) -> bool:
    """Return whether trying again may help."""
    if isinstance(error, ClientError):
        status = status_of(error)
        is_about_load = status >= _SERVER_ERROR or status == _TOO_MANY_REQUESTS
        return is_about_load or code_of(error) in _TRANSIENT_CODES
    return not isinstance(
        error, NoCredentialsError | PartialCredentialsError | ParamValidationError
    )


def status_of(error: ClientError) -> int:
    """Return the HTTP status."""
    return error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)


def code_of(error: ClientError) -> str:
    """Return the code by which S3 names the error."""
    return error.response.get("Error", {}).get("Code", "")


def describe(error: ClientError | BotoCoreError) -> str:
    """Return the code and message of S3, or what botocore says."""
    if isinstance(error, ClientError):
        return f"{code_of(error)}: {error.response.get('Error', {}).get('Message', '')}"
    return str(error)

"""Keeps the libraries underneath from logging what they send and read."""

import logging

TALKATIVE = ("anthropic", "boto3", "botocore", "httpcore2", "httpx2", "s3transfer", "urllib3")
"""Loggers that quote requests at DEBUG: prompts, documents, signatures."""


def quiet_libraries() -> None:
    """Hold these loggers at INFO, whatever the root logger or a library's own switch says.

    Call it after the libraries are imported: one of them sets its level when that happens.
    """
    for name in TALKATIVE:
        for logger in (logging.getLogger(name), *_below(name)):
            if logger.level < logging.INFO:
                logger.setLevel(logging.INFO)


def _below(name: str) -> list[logging.Logger]:
    """Return the loggers below one that have a level of their own."""
    return [
        logger
        for child, logger in logging.root.manager.loggerDict.items()
        if child.startswith(f"{name}.") and isinstance(logger, logging.Logger) and logger.level
    ]

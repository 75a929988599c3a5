"""Arguments that the commands over local folders share."""

import argparse
import os
from pathlib import Path


def add_folder_arguments(parser: argparse.ArgumentParser) -> None:
    """Let a command take a folder, and how many child processes read it."""
    parser.add_argument("folder", type=_folder)
    parser.add_argument("--workers", type=_worker_count, default=os.cpu_count() or 1)


def _folder(name: str) -> Path:
    if not name:
        msg = "name a folder: DOCS=folder"
        raise argparse.ArgumentTypeError(msg)
    return Path(name)


def _worker_count(number: str) -> int:
    count = int(number)
    if count < 1:
        msg = f"{count} workers cannot work; name at least 1"
        raise argparse.ArgumentTypeError(msg)
    return count

"""What a peer's night needs to know."""

from dataclasses import dataclass


@dataclass(frozen=True)
class PeerJob:
    """Where the servers are; travels as JSON on the command line."""

    size: int
    documents_url: str
    simulator_url: str
    folder: str

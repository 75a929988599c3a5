"""Free TCP ports on the loopback address."""

import random
import socket

HOST = "127.0.0.1"

GRPC_OFFSET = 10_000
"""SeaweedFS listens at each port + 10,000, too."""

_CANDIDATES = range(12_000, 22_000)
# Below 32,768 with the offset as well: systems draw the ports of outgoing connections from above,
# so a port that is free today is most likely free tomorrow.


def is_free(port: int) -> bool:
    """Return whether nothing listens at a port."""
    with socket.socket() as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind((HOST, port))
        except OSError:
            return False
    return True


def draw_ports(count: int) -> list[int]:
    """Return as many different free ports."""
    shuffled = random.SystemRandom().sample(_CANDIDATES, k=len(_CANDIDATES))
    free = (port for port in shuffled if is_free(port) and is_free(port + GRPC_OFFSET))
    return [next(free) for _ in range(count)]

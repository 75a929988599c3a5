"""A proxy before a server of the night, which does harm at a named step.

Every durable step of a night is an HTTP request. A process that dies between two of them leaves the
same behind as one that dies just before the second, so harm at each request, before and after the
server has seen it, is harm everywhere: no line of the pipeline knows of it.
"""

import logging
import os
import signal
import socket
import socketserver
import struct
import threading
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Literal, Self

import h11
import psutil

logger = logging.getLogger(__name__)

HOST = "127.0.0.1"
Moment = Literal["before", "after"]
_CHUNK_BYTES = 64 * 1024
_TIMEOUT_SECONDS = 60
_BROKEN = (OSError, h11.RemoteProtocolError)


@dataclass(frozen=True, slots=True)
class Call:
    """One request, as it went over the wire."""

    method: str
    target: str
    body: bytes
    client: tuple[str, int]
    """Address of the process that asks."""


class CutError(Exception):
    """The connection is to break here."""


class Refused(Exception):  # noqa: N818  # it carries an answer, and is no failure of the proxy
    """The server is to answer with this status."""

    def __init__(self, status: int) -> None:
        super().__init__(status)
        self.status = status


Damage = Callable[[Call], None]
"""Does harm; may raise `CutError` or `Refused`."""


@dataclass
class Trap:
    """Harm that waits for a step."""

    is_step: Callable[[Call], bool]
    moment: Moment
    damage: Damage
    skip: int = 0
    """How many such steps pass first."""
    times: int = 1
    sprung: int = 0
    _seen: int = 0
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def springs(self, call: Call) -> bool:
        """Return whether this call is the one, or one of those, that are harmed."""
        with self._lock:
            if not self.is_step(call):
                return False
            self._seen += 1
            if self._seen <= self.skip or self.sprung >= self.times:
                return False
            self.sprung += 1
            return True


class FaultProxy:
    """A threaded HTTP proxy on a port of its own; `trap` is what goes wrong next."""

    def __init__(self, upstream_port: int = 0) -> None:
        self.upstream_port = upstream_port
        self.trap: Trap | None = None
        self._server = _Server((HOST, 0), _Connection)
        self._server.proxy = self
        self._thread = threading.Thread(target=self._server.serve_forever, daemon=True)

    @property
    def base_url(self) -> str:
        return f"http://{HOST}:{self._server.server_address[1]}"

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def harm(self, moment: Moment, call: Call) -> None:
        trap = self.trap
        if trap is not None and trap.moment == moment and trap.springs(call):
            logger.info("harming moment=%s method=%s target=%s", moment, call.method, call.target)
            trap.damage(call)


class _Server(socketserver.ThreadingTCPServer):
    daemon_threads = True
    block_on_close = False
    allow_reuse_address = True
    proxy: FaultProxy

    def handle_error(self, request: object, client_address: object) -> None:
        """Keep quiet: broken connections are what this server is for."""
        logger.debug("dropped client=%s", client_address)


class _Connection(socketserver.BaseRequestHandler):
    """One client: its requests, one after the other."""

    server: _Server
    request: socket.socket

    def handle(self) -> None:
        self.request.settimeout(_TIMEOUT_SECONDS)
        client = h11.Connection(h11.SERVER)
        try:
            while self._pass_on(client):
                client.start_next_cycle()
        except CutError:
            self._cut()
        except _BROKEN:
            logger.debug("broken client=%s", self.client_address, exc_info=True)

    def _pass_on(self, client: h11.Connection) -> bool:
        """Pass one request on, and its answer back; False when that was the last."""
        head, body = _read_message(self.request, client)
        if not isinstance(head, h11.Request):
            return False
        call = Call(head.method.decode(), head.target.decode(), body, self.client_address)
        try:
            self.server.proxy.harm("before", call)
            answer, content = _ask(self.server.proxy.upstream_port, head, body)
            self.server.proxy.harm("after", call)
        except Refused as refusal:
            answer, content = _refusal(refusal.status)
        except _BROKEN:
            raise CutError from None  # the server is down, and so is the line to it
        for event in (answer, h11.Data(data=content), h11.EndOfMessage()):
            self.request.sendall(client.send(event) or b"")
        return client.our_state is h11.DONE and client.their_state is h11.DONE

    def _cut(self) -> None:
        """Break the connection so that the client sees it at once."""
        with suppress(OSError):
            linger = struct.pack("ii", 1, 0)
            self.request.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
            self.request.close()


def _read_message(
    sock: socket.socket, connection: h11.Connection
) -> tuple[h11.Request | h11.Response | h11.ConnectionClosed, bytes]:
    head: h11.Request | h11.Response | None = None
    body = b""
    while True:
        event = connection.next_event()
        if event is h11.NEED_DATA:
            if connection.they_are_waiting_for_100_continue:
                go_on = h11.InformationalResponse(status_code=100, headers=[])
                sock.sendall(connection.send(go_on) or b"")
            connection.receive_data(sock.recv(_CHUNK_BYTES))
        elif isinstance(event, h11.Data):
            body += event.data
        elif isinstance(event, h11.EndOfMessage):
            assert head is not None
            return head, body
        elif isinstance(event, h11.ConnectionClosed):
            return event, body
        elif isinstance(event, h11.Request | h11.Response):
            head = event


def _ask(port: int, head: h11.Request, body: bytes) -> tuple[h11.Response, bytes]:
    """Ask the server, with the headers as they are: they may be signed."""
    upstream = h11.Connection(h11.CLIENT)
    kept = [(name, value) for name, value in head.headers.raw_items() if name.lower() != b"expect"]
    asked = h11.Request(method=head.method, target=head.target, headers=kept)
    with socket.create_connection((HOST, port), timeout=_TIMEOUT_SECONDS) as sock:
        for event in (asked, h11.Data(data=body), h11.EndOfMessage()):
            sock.sendall(upstream.send(event) or b"")
        answer, content = _read_message(sock, upstream)
    if not isinstance(answer, h11.Response):
        raise ConnectionResetError
    return answer, content


def _refusal(status: int) -> tuple[h11.Response, bytes]:
    headers = [("content-length", "0"), ("content-type", "text/plain")]
    return h11.Response(status_code=status, headers=headers, reason=b"fault"), b""


def pid_of(call: Call) -> int:
    """Return the process that sent a request."""
    for connection in psutil.net_connections("tcp4"):
        if connection.laddr == call.client and connection.pid:
            return connection.pid
    raise ProcessLookupError(call.client)


def kill_client(call: Call) -> None:
    """End the process that asks as the kernel's memory killer does."""
    os.kill(pid_of(call), signal.SIGKILL)
    raise CutError


def cut(call: Call) -> None:
    """Break the connection."""
    raise CutError


def refuse(status: int) -> Damage:
    """Return the harm of an answer with an error's status."""

    def answer(call: Call) -> None:
        raise Refused(status)

    return answer


def freeze_client(meanwhile: Callable[[], None]) -> Damage:
    """Return the harm of a worker that stands still while something else happens."""

    def freeze(call: Call) -> None:
        pid = pid_of(call)
        os.kill(pid, signal.SIGSTOP)
        try:
            meanwhile()
        finally:
            os.kill(pid, signal.SIGCONT)

    return freeze

"""Speak HTTP: read calls off sockets, and send replies in every way they can arrive."""

import logging
import os
import secrets
import socket
import struct
import threading
from email.utils import formatdate
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, cast
from urllib.parse import parse_qsl, urlsplit

from include.simulator import api, control
from include.simulator.body import Body, read_body
from include.simulator.errors import ApiError
from include.simulator.exchange import Call, Reply
from include.simulator.options import Options
from include.simulator.world import open_world

if TYPE_CHECKING:
    from collections.abc import Iterable

logger = logging.getLogger(__name__)

DEFAULT_HOST = "127.0.0.1"
"""Nobody but this machine."""
_ORGANIZATION_ID = "00000000-0000-4000-8000-000000000000"
_REFUSED_KEY = "bad"
_RESET_ON_CLOSE = struct.pack("ii", 1, 0)


class SimulatorServer(ThreadingHTTPServer):
    """Serves one simulator at one address."""

    daemon_threads = True
    request_queue_size = 128

    def __init__(self, options: Options, port: int, *, host: str = DEFAULT_HOST) -> None:
        """Open the simulator and listen on `port`; 0 takes a free one."""
        self.world = open_world(options)
        self.is_stopping = threading.Event()
        super().__init__((host, port), _Handler)

    @property
    def base_url(self) -> str:
        """Where it listens."""
        return f"http://{self.server_address[0]!s}:{self.server_address[1]}"

    def server_close(self) -> None:
        """Stop listening, and wake the replies that a fault holds back."""
        self.is_stopping.set()
        super().server_close()
        self.world.store.close()


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    """Without it every call of the SDK costs 40 ms."""

    @property
    def _simulator(self) -> SimulatorServer:
        return cast("SimulatorServer", self.server)

    def _serve(self) -> None:
        request_id = f"req_01{secrets.token_hex(11)}"
        headers = {name.lower(): value for name, value in self.headers.items()}
        options = self._simulator.world.options
        try:
            body = read_body(
                self.rfile,
                headers,
                max_bytes=options.max_body_bytes,
                folder=options.data_folder,
            )
        except ApiError as error:
            # The rest of the body stays unread, so nothing can follow on this connection.
            call = self._call(headers, Body.empty(), request_id)
            self._send(api.error_reply(error, call), call, must_close=True)
            return
        with body.file:
            call = self._call(headers, body, request_id)
            self._send(self._answer(call), call)

    do_GET = do_POST = do_DELETE = _serve  # noqa: N815 - names of the base class

    def _call(self, headers: dict[str, str], body: Body, request_id: str) -> Call:
        url = urlsplit(self.path)
        bearer = headers.get("authorization", "").removeprefix("Bearer ")
        key = headers.get("x-api-key", bearer)
        return Call(
            method=self.command,
            path=url.path,
            query=dict(parse_qsl(url.query)),
            headers=headers,
            body=body.file,
            body_bytes=body.wire_bytes,
            body_sha256=body.wire_sha256,
            request_id=request_id,
            workspace="" if key == _REFUSED_KEY else api.workspace_of(key),
        )

    def _answer(self, call: Call) -> Reply:
        world = self._simulator.world
        try:
            if call.path.startswith("/v1/"):
                return api.answer(world, call)
            return control.answer(world, call)
        except Exception:
            logger.exception("failed method=%s path=%s", call.method, call.path)
            return api.error_reply(ApiError(500, "The simulator itself failed"), call)

    def _send(self, reply: Reply, call: Call, *, must_close: bool = False) -> None:
        if reply.delay_seconds:
            self._simulator.is_stopping.wait(reply.delay_seconds)
        if not reply.is_silent:
            self._send_head(reply, call, must_close=must_close)
            self._send_body(reply)
        if reply.ending == "reset":
            self._reset()
        if reply.ending != "keep" or reply.framing == "close":
            self.close_connection = True

    def _send_head(self, reply: Reply, call: Call, *, must_close: bool) -> None:
        self.send_response(reply.status)
        self.send_header("content-type", reply.content_type)
        self.send_header("request-id", call.request_id)
        self.send_header("anthropic-organization-id", _ORGANIZATION_ID)
        if call.workspace:
            self.send_header("anthropic-workspace-id", call.workspace)
        for name, value in reply.headers.items():
            self.send_header(name, value)
        if reply.framing == "chunked":
            self.send_header("transfer-encoding", "chunked")
        elif reply.framing == "length":
            length = len(reply.body) if isinstance(reply.body, bytes) else reply.declared_bytes
            self.send_header("content-length", str(length))
        if must_close or reply.framing == "close":
            self.send_header("connection", "close")
        self.end_headers()

    def _send_body(self, reply: Reply) -> None:
        blocks: Iterable[bytes] = [reply.body] if isinstance(reply.body, bytes) else reply.body
        is_chunked = reply.framing == "chunked"
        for block in filter(None, blocks):
            self.wfile.write(b"%x\r\n%b\r\n" % (len(block), block) if is_chunked else block)
        if is_chunked and reply.ending == "keep":
            self.wfile.write(b"0\r\n\r\n")

    def _reset(self) -> None:
        """Close the connection with an RST, past all buffers and the orderly shutdown."""
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET_ON_CLOSE)
        os.close(self.connection.detach())

    def date_time_string(self, timestamp: float | None = None) -> str:
        """Return the `Date` of a reply, by the virtual clock."""
        return formatdate(timestamp or self._simulator.world.store.now(), usegmt=True)

    def version_string(self) -> str:
        """Return the `Server` of a reply."""
        return "message-batches-simulator"

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class's name
        """Log at DEBUG what the base class prints."""
        logger.debug(format, *args)

    def handle(self) -> None:
        """Serve a connection until either side has enough of it."""
        try:
            super().handle()
        except (ConnectionError, TimeoutError):
            self.close_connection = True
            logger.debug("lost_client")

"""What the pool and its parser processes say to each other over a pipe."""

import struct

REQUEST_HEADER = struct.Struct(">IQ?")
"""Bytes of the key, bytes of the content, which both follow; whether more is sent before answers
are read."""

ANSWER_HEADER = struct.Struct(">Q")
"""Bytes of the extraction as MessagePack, which follows."""

READY = b"\x01"
"""What a parser process says first."""

OUT_OF_MEMORY_STATUS = 3
"""Exit status of a parser process that a document was too large for."""

"""What no pipeline can do without, beside each stage: bytes read, decoded once, and written."""

import hashlib
import http.client
import re
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import duckdb
import msgspec
import pyarrow as pa
import pyarrow.parquet as pq
import zstandard

from include.entries import Entry
from include.ledger import Ledger
from include.plans import read_plan
from include.runs import RunFiles
from include.specs import load_catalog
from tests.benchmarks.corpus import FOLDER, key_of
from tests.benchmarks.documents_server import SINK
from tests.benchmarks.job import Job

Work = Callable[[], Any]
_ROWS = 5_000
_CHUNK_BYTES = 256 * 1024
_KEY = re.compile(rb"<Key>(.*?)</Key>.*?<ETag>(.*?)</ETag><Size>(\d+)</Size>")
_TOKEN = re.compile(rb"<NextContinuationToken>(.*?)</NextContinuationToken>")


class _Answer(msgspec.Struct):
    main_topic: str
    document_type: str
    sentiment: str
    key_entities: list[str]
    language: str
    summary: str


class _Block(msgspec.Struct):
    text: str


class _Message(msgspec.Struct):
    content: list[_Block]


class _Result(msgspec.Struct):
    message: _Message


class _Line(msgspec.Struct):
    custom_id: str
    result: _Result


def connect(url: str) -> http.client.HTTPConnection:
    """Open a plain connection."""
    parts = urlsplit(url)
    return http.client.HTTPConnection(parts.hostname or "", parts.port, timeout=600)


def get(connection: http.client.HTTPConnection, path: str, **headers: str) -> bytes:
    """Return what lies at a path."""
    connection.request("GET", path, headers=headers)
    return connection.getresponse().read()


def list_documents(job: Job) -> Work:
    """Read the pages, find the keys, write them to Parquet and into a table."""
    folder = _folder(job, "list")

    def pages() -> Iterator[list[tuple[bytes, bytes, bytes]]]:
        with closing(connect(job.documents_url)) as connection:
            token: bytes | None = b"0"
            while token is not None:
                path = f"/b?list-type=2&prefix={FOLDER}&continuation-token={token.decode()}"
                page = get(connection, path)
                yield _KEY.findall(page)
                found = _TOKEN.search(page)
                token = found[1] if found else None

    def work() -> None:
        shape = pa.schema({name: pa.binary() for name in ("key", "etag", "size")})
        path = folder / "listed.parquet"
        with pq.ParquetWriter(path, shape) as writer:
            for rows in pages():
                columns = dict(zip(shape.names, map(list, zip(*rows, strict=True)), strict=True))
                writer.write_table(pa.table(columns, schema=shape))
        _insert(folder, "listed", [str(path)])

    return work


def fetch(job: Job) -> Work:
    """Read the bytes of every document, over one plain connection."""

    def work() -> None:
        for _ in _documents(job):
            pass

    return work


def build(job: Job) -> Work:
    """Read the bytes of every document, write them as JSON in compressed frames."""
    folder = _folder(job, "build")
    params = load_catalog().specs["document_metadata"].freeze().request_params

    def work() -> None:
        packer = zstandard.ZstdCompressor(level=3)
        ids: list[str] = []
        lines: list[bytes] = []
        encoder = msgspec.json.Encoder()
        with (folder / "segment").open("wb") as file:
            for content in _documents(job):
                ids.append(hashlib.sha256(content).hexdigest())
                asked = {"text": content.decode(), "params": params}
                lines.append(encoder.encode({"custom_id": ids[-1], "params": asked}))
                if len(lines) == _ROWS // 10:
                    file.write(packer.compress(b"\n".join(lines)))
                    lines = []
            file.write(packer.compress(b"\n".join(lines)))
        pq.write_table(pa.table({"request_id": ids}), folder / "index.parquet")

    return work


def plan(job: Job) -> Work:
    """Join the index with what is known, sort it, and write it to Parquet."""
    night = job.night("plan-floor")

    def work() -> None:
        paths = [
            str(night.store.download(key, night.work_dir / f"{number}.parquet"))
            for number, (_, key) in enumerate(job.made["build"])
        ]
        out = night.work_dir / "planned.parquet"
        with duckdb.connect() as database:
            database.execute("create table known (request_id text)")
            database.execute(
                f"copy (select request_id, document_id, segment_key, frame_start, frame_length,"  # noqa: S608
                f" line_start, line_length from read_parquet($paths) where request_id not in"
                f" (from known) order by segment_key, frame_start, line_start) to '{out}'",
                {"paths": paths},
            )

    return work


def submit(job: Job) -> Work:
    """Read the segments, put each shard's body on disk, and send it."""
    night = job.night("submit-floor")

    def work() -> None:
        keys = [key.replace(".parquet", ".jsonl.zst") for _, key in job.made["build"]]
        body = night.work_dir / "body.json"
        for key in keys:
            path = night.store.download(key, night.work_dir / "segment")
            digest = hashlib.sha256()
            with path.open("rb") as packed, body.open("wb") as out:
                reader = zstandard.ZstdDecompressor().stream_reader(packed, read_across_frames=True)
                while chunk := reader.read(_CHUNK_BYTES):
                    digest.update(chunk)
                    out.write(chunk)
            send(job, body)

    return work


def send(job: Job, body: Path) -> None:
    """Send a file to nowhere."""
    with closing(connect(job.documents_url)) as connection, body.open("rb") as file:
        length = str(body.stat().st_size)
        connection.blocksize = _CHUNK_BYTES
        connection.request("POST", f"/b/{SINK}", body=file, headers={"Content-Length": length})
        connection.getresponse().read()


def collect(job: Job) -> Work:
    """Download the results, decode lines and answers once, write Parquet, keep the raw file."""
    night = job.night("collect-floor")
    entries = _entries(job)

    def work() -> None:
        for entry in entries:
            spool = night.work_dir / "results.jsonl"
            download(job, f"/v1/messages/batches/{entry.batch_id}/results", spool)
            write_answers(spool, night.work_dir)

    return work


def write_answers(spool: Path, folder: Path) -> None:
    """Decode a result file once, and write it to Parquet and compressed."""
    of_line, of_answer = msgspec.json.Decoder(_Line), msgspec.json.Decoder(_Answer)
    names = ["custom_id", *_Answer.__struct_fields__]
    columns: dict[str, list[Any]] = {name: [] for name in names}
    shape = pa.schema({n: pa.list_(pa.string()) if n == names[4] else pa.string() for n in names})
    with spool.open("rb") as file, pq.ParquetWriter(folder / "answers.parquet", shape) as writer:
        for raw in file:
            line = of_line.decode(raw)
            answer = of_answer.decode(line.result.message.content[0].text)
            columns["custom_id"].append(line.custom_id)
            for name in names[1:]:
                columns[name].append(getattr(answer, name))
            if len(columns["custom_id"]) == _ROWS:
                writer.write_table(pa.table(columns, schema=shape))
                columns = {name: [] for name in names}
        writer.write_table(pa.table(columns, schema=shape))
    with spool.open("rb") as raw_file, (folder / "raw.zst").open("wb") as packed:
        zstandard.ZstdCompressor(level=3).copy_stream(raw_file, packed)


def download(job: Job, path: str, spool: Path) -> None:
    """Bring what the simulator has at a path to disk."""
    with closing(connect(job.simulator_url)) as connection, spool.open("wb") as out:
        headers = {"x-api-key": "test", "anthropic-version": "2023-06-01"}
        connection.request("GET", path, headers=headers)
        answer = connection.getresponse()
        while chunk := answer.read(_CHUNK_BYTES):
            out.write(chunk)


def load(job: Job) -> Work:
    """Insert the files of the night into tables without keys."""
    night = job.night("load-floor")
    folder = _folder(job, "load")
    outputs = [entry.output for entry in _entries(job) if entry.output]

    def work() -> None:
        keys = {
            "documents": [key for _, key in job.made["build"]],
            "results": [one.enrichments_key for one in outputs],
            "failures": [one.failures_key for one in outputs],
        }
        for name, ones in keys.items():
            paths = [
                str(night.store.download(key, folder / f"{name}-{number}.parquet"))
                for number, key in enumerate(ones)
            ]
            _insert(folder, name, paths)

    return work


def _folder(job: Job, stage: str) -> Path:
    folder = Path(job.folder, f"{stage}-floor-files")
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def _documents(job: Job) -> Iterator[bytes]:
    with closing(connect(job.documents_url)) as connection:
        for number in range(job.size):
            yield get(connection, f"/b/{key_of(number)}")


def _entries(job: Job) -> list[Entry]:
    night = job.night("entries")
    shards = read_plan(night.store, RunFiles(night.spec.name, night.run_key)).shard_ids
    return [Ledger(night.store, night.spec.name).read(one).record for one in shards]


def _insert(folder: Path, name: str, paths: list[str]) -> None:
    with duckdb.connect(folder / "floor.duckdb") as database:
        database.execute(f"create table {name} as from read_parquet($paths)", {"paths": paths})

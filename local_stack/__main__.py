"""Commands of the local stack."""

import argparse
import sys
from collections.abc import Callable
from operator import itemgetter
from pathlib import Path
from typing import Any, get_args

from local_stack.airflow_server import PROJECT, USER
from local_stack.demo import run_demo
from local_stack.env_file import write_env_file
from local_stack.errors import StackError
from local_stack.stack import Stack
from local_stack.state import WarehouseKind

WAREHOUSES = get_args(WarehouseKind)
_REBUILD_DAG_ID = "rebuild_warehouse"
_ERASE_DAG_ID = "erase_document"
_BY_HAND_SECONDS = 3_600
_DAG_SECONDS = 60
_LOG_CHARACTERS = 2_000

_Adder = Callable[..., Any]
"""`add_argument` of a command."""


def main() -> int:
    """Run one command; return the exit code."""
    arguments = _parser().parse_args()
    try:
        arguments.run(arguments)
    except StackError as error:
        print(error, file=sys.stderr)
        return 1
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m local_stack", description=__doc__)
    commands = parser.add_subparsers(required=True)

    def add(name: str, run: Callable[[argparse.Namespace], None], text: str) -> _Adder:
        command = commands.add_parser(name, help=text)
        command.set_defaults(run=run)
        return command.add_argument

    up = add("up", lambda a: _up(a.warehouse), "start the stack, or what is missing of it")
    up("--warehouse", choices=WAREHOUSES, help="as before, at first duckdb")
    add("down", lambda _: _down(), "end every server that was started")
    add("status", lambda _: _status(), "list the servers and where they answer")
    add("secrets", lambda _: _secrets(), "write a .env for docker-compose.yaml, for a trial")
    demo = add("demo", _demo, "run a night, twice, on a fresh stack")
    demo("--warehouse", choices=WAREHOUSES, default="duckdb")
    demo("--documents", type=Path, help="folder of the documents to enrich")
    query = add("query", lambda a: _query(a.sql), "run one SQL statement on the warehouse")
    query("sql", help="one that reads, such as: from nightshift.document_metadata")
    rebuild = add("rebuild", lambda a: _rebuild(a.spec), "load the warehouse from the bucket again")
    rebuild("spec")
    erase = add("erase", lambda a: _erase(a.uri, a.reason), "erase what a document said")
    erase("uri", help="s3://bucket/key, as in nightshift.documents.document_uri")
    erase("reason", help="kept with the erasure")
    return parser


def _demo(arguments: argparse.Namespace) -> None:
    run_demo(arguments.documents, arguments.warehouse)


def _up(warehouse: WarehouseKind | None) -> None:
    stack = Stack.named("stack", warehouse)
    stack.start(report=print)
    _print_addresses(stack)
    print("\nmake down ends it; its data stays in .local/stack")


def _down() -> None:
    ended = [f"{stack.root.name}/{name}" for stack in _known_stacks() for name in stack.stop()]
    print(f"ended {', '.join(ended) or 'nothing: nothing ran'}")


def _status() -> None:
    for stack in _known_stacks():
        for name in stack.processes.names():
            state = "runs" if stack.processes.is_alive(name) else "DEAD"
            print(f"{stack.root.name}/{name:<14} {state}  {stack.processes.log_path(name)}")
        if stack.processes.names():
            _print_addresses(stack)


def _query(sql: str) -> None:
    known = ((stack.warehouse, stack.warehouse.last_change()) for stack in _known_stacks())
    present = [(changed, warehouse) for warehouse, changed in known if changed is not None]
    if not present:
        msg = "there is no warehouse, or its server does not run: `make demo` or `make up`"
        raise StackError(msg)
    _, newest = max(present, key=itemgetter(0))
    newest.print_query(sql)


def _secrets() -> None:
    write_env_file(PROJECT / ".env.example", PROJECT / ".env")
    print(
        "wrote .env: a trial with S3 server and simulator. `docker compose up --detach` starts it."
    )
    print("With an account: replace connections and buckets, and empty COMPOSE_PROFILES")


def _rebuild(spec: str) -> None:
    _run_by_hand(_REBUILD_DAG_ID, {"spec": spec})
    print(f"loaded {spec} again from the work bucket; nothing was bought")


def _erase(uri: str, reason: str) -> None:
    log = _run_by_hand(_ERASE_DAG_ID, {"uri": uri, "reason": reason})
    marker = "erasure "
    told = (line.removeprefix(marker) for line in log.splitlines() if line.startswith(marker))
    print(*told, sep="\n")
    print("the object itself is not touched; docs/erasure.md tells what else remains")


def _run_by_hand(dag_id: str, conf: dict[str, str]) -> str:
    """Run a DAG of one task on the stack that runs, and return its log."""
    running = [s for s in _known_stacks() if any(map(s.processes.is_alive, s.processes.names()))]
    if not running:
        msg = f"no stack runs: `make up` starts one; elsewhere, trigger the DAG {dag_id}"
        raise StackError(msg)
    api = running[0].api
    api.wait_for_dags([dag_id], timeout_seconds=_DAG_SECONDS)
    api.unpause(dag_id)
    started = api.trigger(dag_id, conf=conf)
    run = api.wait_for_run(dag_id, started.run_id, timeout_seconds=_BY_HAND_SECONDS)
    (task,) = api.tasks(run.dag_id, run.run_id)
    log = api.log(run, task)
    if run.state != "success":
        raise StackError(log[-_LOG_CHARACTERS:])
    return log


def _known_stacks() -> list[Stack]:
    return [Stack.named(path.parent.name) for path in (PROJECT / ".local").glob("*/state.json")]


def _print_addresses(stack: Stack) -> None:
    print(f"\nAirflow    {stack.airflow.base_url}   {USER} / {stack.secrets.admin_password}")
    print(f"S3         {stack.s3.endpoint_url}   keys in {stack.root / 'state.json'}")
    print(f"simulator  {stack.simulator.base_url}")


if __name__ == "__main__":
    sys.exit(main())

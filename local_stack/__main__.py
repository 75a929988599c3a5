"""Commands of the local stack."""

import argparse
import sys
from operator import itemgetter
from pathlib import Path
from typing import get_args

from local_stack.airflow_server import PROJECT, USER
from local_stack.demo import run_demo
from local_stack.errors import StackError
from local_stack.stack import Stack
from local_stack.state import WarehouseKind

WAREHOUSES = get_args(WarehouseKind)
_REBUILD_DAG_ID = "rebuild_warehouse"
_REBUILD_SECONDS = 3_600
_DAG_SECONDS = 60
_LOG_CHARACTERS = 2_000


def main() -> int:
    """Run one command; return the exit code."""
    parser = argparse.ArgumentParser(prog="python -m local_stack", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    up = commands.add_parser("up", help="start the stack, or what is missing of it")
    up.add_argument("--warehouse", choices=WAREHOUSES, help="as before, at first duckdb")
    commands.add_parser("down", help="end every server that was started")
    commands.add_parser("status", help="list the servers and where they answer")
    demo = commands.add_parser("demo", help="run a whole night, twice, on a fresh stack")
    demo.add_argument("--warehouse", choices=WAREHOUSES, default="duckdb")
    demo.add_argument("--documents", type=Path, help="folder of the documents to enrich")
    query = commands.add_parser("query", help="run one SQL statement on the warehouse")
    query.add_argument("sql", help="one that reads, such as: from nightshift.document_metadata")
    rebuild = commands.add_parser("rebuild", help="load the warehouse again from the bucket")
    rebuild.add_argument("spec")
    arguments = parser.parse_args()
    try:
        match arguments.command:
            case "up":
                _up(arguments.warehouse)
            case "down":
                _down()
            case "status":
                _status()
            case "demo":
                run_demo(arguments.documents, arguments.warehouse)
            case "query":
                _query(arguments.sql)
            case "rebuild":
                _rebuild(arguments.spec)
    except StackError as error:
        print(error, file=sys.stderr)
        return 1
    return 0


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


def _rebuild(spec: str) -> None:
    running = [s for s in _known_stacks() if any(map(s.processes.is_alive, s.processes.names()))]
    if not running:
        msg = "no stack runs: `make up` starts one; elsewhere, trigger the DAG rebuild_warehouse"
        raise StackError(msg)
    api = running[0].api
    api.wait_for_dags([_REBUILD_DAG_ID], timeout_seconds=_DAG_SECONDS)
    api.unpause(_REBUILD_DAG_ID)
    started = api.trigger(_REBUILD_DAG_ID, conf={"spec": spec})
    run = api.wait_for_run(_REBUILD_DAG_ID, started.run_id, timeout_seconds=_REBUILD_SECONDS)
    if run.state != "success":
        (task,) = api.tasks(run.dag_id, run.run_id)
        raise StackError(api.log(run, task)[-_LOG_CHARACTERS:])
    print(f"loaded {spec} again from the work bucket; nothing was bought")


def _known_stacks() -> list[Stack]:
    return [Stack.named(path.parent.name) for path in (PROJECT / ".local").glob("*/state.json")]


def _print_addresses(stack: Stack) -> None:
    print(f"\nAirflow    {stack.airflow.base_url}   {USER} / {stack.secrets.admin_password}")
    print(f"S3         {stack.s3.endpoint_url}   keys in {stack.root / 'state.json'}")
    print(f"simulator  {stack.simulator.base_url}")


if __name__ == "__main__":
    sys.exit(main())

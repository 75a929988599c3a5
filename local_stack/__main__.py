"""Commands of the local stack."""

import argparse
import sys
from pathlib import Path

from local_stack.airflow_server import PROJECT, USER
from local_stack.demo import run_demo
from local_stack.errors import StackError
from local_stack.stack import Stack
from local_stack.warehouse import print_query

_REBUILD_DAG_ID = "rebuild_warehouse"
_ERASE_DAG_ID = "erase_document"
_BY_HAND_SECONDS = 3_600
_DAG_SECONDS = 60
_LOG_CHARACTERS = 2_000


def main() -> int:
    """Run one command; return the exit code."""
    parser = argparse.ArgumentParser(prog="python -m local_stack", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("up", help="start the stack, or what is missing of it")
    commands.add_parser("down", help="end every server that was started")
    commands.add_parser("status", help="list the servers and where they answer")
    demo = commands.add_parser("demo", help="run a whole night, twice, on a fresh stack")
    demo.add_argument("--documents", type=Path, help="folder of the documents to enrich")
    query = commands.add_parser("query", help="run one SQL statement on the warehouse")
    query.add_argument("sql", help="one that reads, such as: from nightshift.document_metadata")
    rebuild = commands.add_parser("rebuild", help="load the warehouse again from the bucket")
    rebuild.add_argument("spec")
    erase = commands.add_parser("erase", help="erase what a document said, all versions of it")
    erase.add_argument("uri", help="s3://bucket/key, as in nightshift.documents.document_uri")
    erase.add_argument("reason", help="kept with the erasure")
    arguments = parser.parse_args()
    try:
        match arguments.command:
            case "up":
                _up()
            case "down":
                _down()
            case "status":
                _status()
            case "demo":
                run_demo(arguments.documents)
            case "query":
                _query(arguments.sql)
            case _:
                _operate(arguments)
    except StackError as error:
        print(error, file=sys.stderr)
        return 1
    return 0


def _up() -> None:
    stack = Stack.named("stack")
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
    warehouses = [stack.warehouse_path for stack in _known_stacks()]
    present = [path for path in warehouses if path.exists()]
    if not present:
        msg = "there is no warehouse yet: run `make demo`"
        raise StackError(msg)
    print_query(max(present, key=lambda path: path.stat().st_mtime), sql)


def _operate(arguments: argparse.Namespace) -> None:
    """Do by hand what has a DAG of its own."""
    if arguments.command == "rebuild":
        _run_by_hand(_REBUILD_DAG_ID, {"spec": arguments.spec})
        print(f"loaded {arguments.spec} again from the work bucket; nothing was bought")
        return
    log = _run_by_hand(_ERASE_DAG_ID, {"uri": arguments.uri, "reason": arguments.reason})
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

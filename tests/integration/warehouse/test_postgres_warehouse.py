"""What is PostgreSQL's own: locks, roles, lost connections, and results larger than memory."""

import logging
from collections.abc import Callable
from urllib.parse import urlsplit

import pyarrow as pa
import pytest
from pydantic import create_model

from include.answers import AnswerSchema
from include.errors import ConfigurationError, PermanentError, TransientError
from include.warehouse.ledgers import read_ledger, record_ledger
from include.warehouse.postgres_warehouse import open_postgres
from include.warehouse.staging import LISTED_URIS, stage_rows
from include.warehouse.tables import ensure_tables
from local_stack.postgres import PostgresServer
from tests.integration.databases import PostgresDatabase
from tests.integration.warehouse.nights import MONDAY, SPEC, Answer, Nights, Version

pytestmark = pytest.mark.integration

A = Version("a")
END_OTHERS = """
select pg_terminate_backend(pid) from pg_stat_activity
where datname = current_database() and pid <> pg_backend_pid()
"""


@pytest.fixture
def database(postgres_database: PostgresDatabase) -> PostgresDatabase:
    return postgres_database


def test_reader_does_not_wait_for_a_load_and_sees_nothing_of_it(
    database: PostgresDatabase,
) -> None:
    hurried = database.open(lock_timeout_seconds=0.1)
    with database.open().session() as load:
        record_ledger(load, spec=SPEC, ledger_id="ledger-1", now=MONDAY)
        with hurried.session(read_only=True) as session:
            stage_rows(session, "listed_uris", None, LISTED_URIS)
            assert read_ledger(session, spec=SPEC).ledger_id is None


def test_reader_sees_one_state_of_all_tables(database: PostgresDatabase) -> None:
    with database.open().session(read_only=True) as session:
        assert read_ledger(session, spec=SPEC).ledger_id is None
        with database.open().session() as load:
            record_ledger(load, spec=SPEC, ledger_id="ledger-1", now=MONDAY)
        assert read_ledger(session, spec=SPEC).ledger_id is None


def test_result_is_read_page_by_page(database: PostgresDatabase) -> None:
    ids = pa.array([f"{n:06}" for n in range(25_001)])
    with database.open().session(read_only=True) as session:
        session.stage("documents", pa.table({"document_id": ids}).to_reader(5_000))
        pages = list(session.read("check_documents_known", spec=SPEC))
    assert [page.num_rows for page in pages] == [10_000, 10_000, 5_001]
    assert sorted(pa.Table.from_batches(pages)["document_id"].to_pylist()) == ids.to_pylist()


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (
            lambda uri: uri.replace(urlsplit(uri).password or "", "wr0ng"),
            "check login and password",
        ),
        (lambda uri: f"{uri}_absent", "create the database"),
        (lambda uri: f"{uri}?cursor=dict", "correct the extras"),
        (lambda uri: f"{uri}?sslmode=require", "correct the extras"),
    ],
    ids=["password", "database", "option", "tls"],
)
def test_what_a_person_must_set_right_is_said_without_the_password(
    database: PostgresDatabase, change: Callable[[str], str], message: str
) -> None:
    uri = change(database.uri)
    with pytest.raises(ConfigurationError, match=message) as caught, open_postgres(uri).session():
        pass
    shown = f"{caught.value!r} {caught.value.__cause__!r}"
    for password in (urlsplit(uri).password, urlsplit(database.uri).password):
        assert password
        assert password not in shown


def test_server_that_does_not_answer_is_tried_again() -> None:
    with (
        pytest.raises(TransientError, match=r"Connection refused.*tried again"),
        open_postgres("postgresql://loader:hidden@127.0.0.1:1/analytics").session(),
    ):
        pass


def test_user_without_rights_is_told_what_is_lacking(
    database: PostgresDatabase, postgres_server: PostgresServer
) -> None:
    PostgresDatabase(postgres_server.uri()).execute("create role stranger login password 'r'")
    uri = database.uri.replace(f"//loader:{postgres_server.password}", "//stranger:r")
    with (
        pytest.raises(ConfigurationError, match=r"permission denied.*grant the user"),
        open_postgres(uri).session() as session,
    ):
        record_ledger(session, spec=SPEC, ledger_id="ledger-1", now=MONDAY)


def test_connection_that_is_lost_half_way_is_tried_again_and_leaves_nothing(
    database: PostgresDatabase, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)

    def lose_the_connection() -> None:
        with database.open().session() as session:
            record_ledger(session, spec=SPEC, ledger_id="ledger-1", now=MONDAY)
            database.execute(END_OTHERS)
            session.run("insert_ledgers", spec="other", ledger_id="ledger-1", now=MONDAY)

    with pytest.raises(TransientError, match=r"insert_ledgers.*tried again"):
        lose_the_connection()
    assert database.rows("from nightshift.ledgers") == []
    assert (urlsplit(database.uri).password or "") not in caplog.text


def test_statement_that_is_wrong_is_not_tried_again(database: PostgresDatabase) -> None:
    with (
        pytest.raises(PermanentError, match=r"absent.*SQLSTATE 42P01"),
        database.open().session() as session,
    ):
        session.define("select * from absent")


def test_view_of_an_analyst_survives_a_new_field(database: PostgresDatabase) -> None:
    nights = Nights(database)
    nights.list_versions("run-1", A)
    nights.load("run-1", {A: "answered"})
    database.execute("create view public.of_an_analyst as select topic from nightshift.notes")
    longer = AnswerSchema.from_model(create_model("Longer", __base__=Answer, urgency=(int, 0)))
    with database.open().session() as session:
        ensure_tables(session, SPEC, longer)
    assert database.rows("from public.of_an_analyst") == [{"topic": "a"}]
    assert database.rows("select urgency from nightshift.notes") == [{"urgency": None}]

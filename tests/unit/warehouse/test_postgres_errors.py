import pytest
from adbc_driver_manager import AdbcStatusCode, OperationalError, ProgrammingError

from include.errors import ConfigurationError, PermanentError, PipelineError, TransientError
from include.warehouse.postgres_errors import PostgresAddress, reported, sealed_error

ADDRESS = PostgresAddress.parse("postgresql://loader:s%40crets@db:5432/analytics?sslmode=require")


def raised(text: str, code: str | None) -> PipelineError:
    error = ProgrammingError(text, status_code=AdbcStatusCode.IO, sqlstate=code)
    with pytest.raises(PipelineError) as caught, reported(ADDRESS, "merge_batches"):
        raise error
    return caught.value


@pytest.mark.parametrize(
    ("code", "kind"),
    [
        (None, TransientError),
        ("08006", TransientError),
        ("40001", TransientError),
        ("40P01", TransientError),
        ("53300", TransientError),
        ("53100", TransientError),
        ("55P03", TransientError),
        ("57014", TransientError),
        ("57P01", TransientError),
        ("42501", ConfigurationError),
        ("25006", ConfigurationError),
        ("42P16", ConfigurationError),
        ("42P01", PermanentError),
        ("23505", PermanentError),
    ],
)
def test_code_decides_whether_trying_again_helps(
    code: str | None, kind: type[PipelineError]
) -> None:
    assert type(raised("ERROR:  no", code)) is kind


def test_message_keeps_the_sentence_and_leaves_statements_and_rows_out() -> None:
    text = (
        "INVALID_STATE: [libpq] Failed to execute query 'select secret text\nfrom t': "
        'ERROR:  duplicate key value violates unique constraint "k"\n'
        "DETAIL:  Key (text)=(of a document) already exists.\n. SQLSTATE: 23505"
    )
    assert str(raised(text, "23505")) == (
        "PostgreSQL db:5432/analytics, merge_batches: duplicate key value violates unique "
        'constraint "k" (SQLSTATE 23505)'
    )


@pytest.mark.parametrize(
    ("said", "kind"),
    [
        ('FATAL:  password authentication failed for user "loader"', ConfigurationError),
        ("fe_sendauth: no password supplied", ConfigurationError),
        ('FATAL:  role "loader" does not exist', ConfigurationError),
        ('FATAL:  no pg_hba.conf entry for host "::1"', ConfigurationError),
        ('FATAL:  database "analytics" does not exist', ConfigurationError),
        ("server does not support SSL, but SSL was required", ConfigurationError),
        ('invalid URI query parameter: "cursor"', ConfigurationError),
        ("Connection refused", TransientError),
        ("timeout expired", TransientError),
        ("FATAL:  the database system is starting up", TransientError),
        ("FATAL:  sorry, too many clients already", TransientError),
        ('FATAL:  database "analytics" is not currently accepting connections', TransientError),
    ],
)
def test_words_decide_where_there_is_no_code_and_never_tell_the_password(
    said: str, kind: type[PipelineError]
) -> None:
    text = f"IO: [libpq] Failed to connect: {said} s@crets s%40crets\n"
    error = sealed_error(ADDRESS, OperationalError(text, status_code=AdbcStatusCode.IO))
    assert type(error) is kind
    assert "crets" not in str(error)
    assert "db:5432/analytics" in str(error)


def test_address_that_is_none_is_refused_without_showing_it() -> None:
    with pytest.raises(ConfigurationError, match="begins with postgresql://") as caught:
        PostgresAddress.parse("mysql://loader:hidden@db/analytics")
    assert "hidden" not in str(caught.value)

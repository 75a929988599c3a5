import pytest

from include.config import Settings
from include.errors import ConfigurationError

GOOD = {"NIGHTSHIFT_DOCUMENTS_BUCKET": "documents", "NIGHTSHIFT_WORK_BUCKET": "work"}


def test_settings_are_read_from_their_variables_alone() -> None:
    environ = GOOD | {"NIGHTSHIFT_FETCH_THREADS": "3", "PATH": "/bin", "FETCH_THREADS": "9"}
    settings = Settings.from_env(environ)
    assert (settings.documents_bucket, settings.fetch_threads) == ("documents", 3)


@pytest.mark.parametrize(
    ("environ", "named"),
    [
        ({"NIGHTSHIFT_WORK_BUCKET": "work"}, "NIGHTSHIFT_DOCUMENTS_BUCKET: Field required"),
        (GOOD | {"NIGHTSHIFT_FETCH_TREADS": "3"}, "NIGHTSHIFT_FETCH_TREADS: Extra inputs"),
        (GOOD | {"NIGHTSHIFT_FETCH_THREADS": "0"}, "NIGHTSHIFT_FETCH_THREADS: Input should be"),
        (GOOD | {"NIGHTSHIFT_FETCH_THREADS": "many"}, "NIGHTSHIFT_FETCH_THREADS: Input should"),
        (GOOD | {"NIGHTSHIFT_MAX_REQUESTS_PER_SHARD": "100001"}, "MAX_REQUESTS_PER_SHARD: Input"),
        (GOOD | {"NIGHTSHIFT_MAX_SHARD_BYTES": "256000001"}, "NIGHTSHIFT_MAX_SHARD_BYTES: Input"),
        (GOOD | {"NIGHTSHIFT_BATCH_TIMEOUT_SECONDS": "3600"}, "BATCH_TIMEOUT_SECONDS: Input"),
        (GOOD | {"NIGHTSHIFT_WORK_PREFIX": "/x/"}, "NIGHTSHIFT_WORK_PREFIX: String should match"),
        (
            GOOD | {"NIGHTSHIFT_MAX_REQUESTS_IN_FLIGHT": "10"},
            r"max_requests_per_shard \(20000\) is above max_requests_in_flight \(10\)",
        ),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_unusable_setting_is_named(environ: dict[str, str], named: str) -> None:
    with pytest.raises(ConfigurationError, match=named):
        Settings.from_env(environ)


def test_all_unusable_settings_are_named_at_once() -> None:
    environ = {"NIGHTSHIFT_FETCH_THREADS": "0", "NIGHTSHIFT_NOTHING": "1"}
    with pytest.raises(ConfigurationError) as refusal:
        Settings.from_env(environ)
    for name in ("DOCUMENTS_BUCKET", "WORK_BUCKET", "FETCH_THREADS", "NOTHING"):
        assert f"NIGHTSHIFT_{name}: " in str(refusal.value)

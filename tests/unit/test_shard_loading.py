import datetime as dt

from include.shard_loading import lags_of
from tests.factories import make_entry
from tests.fakes import START


def test_a_batch_lags_until_it_is_loaded_for_the_first_time() -> None:
    ended = {"batch_id": "msgbatch_1", "batch_ended_at": START}
    entries = [
        make_entry(state="collected", **ended),
        make_entry(state="loaded", **ended),
        make_entry(state="submitted", batch_id="msgbatch_2"),
        make_entry(state="collected", batch_id="msgbatch_3"),
    ]
    hour = dt.timedelta(hours=1)
    assert lags_of(entries, now=START + hour) == (hour,)

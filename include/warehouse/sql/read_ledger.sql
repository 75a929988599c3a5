select
    (select ledger_id from nightshift.ledgers where spec = $spec) as ledger_id,
    count(distinct shard_id) as shard_count
from nightshift.batches
where spec = $spec and loaded_at is not null

-- The same question, accepted again although an earlier batch had answered it or still could.
SELECT
    later.workspace,
    later.custom_id,
    lower(hex(later.prompt_digest)) AS prompt_digest,
    earlier.batch_id AS earlier_batch_id,
    later.batch_id AS later_batch_id
FROM outcomes AS later
INNER JOIN outcomes AS earlier
    ON
        later.custom_id = earlier.custom_id
        AND later.prompt_digest = earlier.prompt_digest
        AND later.workspace = earlier.workspace
        AND later.batch_number > earlier.batch_number
WHERE
    earlier.outcome = 'succeeded'
    OR earlier.ended_at IS NULL
    OR earlier.ended_at > later.created_at
ORDER BY later.batch_number, later.position, earlier.batch_number;

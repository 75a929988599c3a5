select
    d.document_id,
    d.document_uri,
    d.bucket,
    d.object_key,
    d.object_version,
    d.size_bytes,
    d.last_modified_at,
    -- Nothing is fetched of what is gone, not even a version that the bucket still keeps.
    case when d.deleted_at is null then l.storage_class else 'DELETED' end as storage_class
from nightshift.document_states as s
join nightshift.documents as d on d.spec = s.spec and d.document_id = s.document_id
left join (
    select document_id, max(storage_class) as storage_class from stage_listed group by document_id
) as l on l.document_id = d.document_id
where s.spec = $spec and s.run_key = $run_key and d.erased_at is null
order by d.document_id

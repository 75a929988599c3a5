update nightshift.documents as d
set
    content_sha256 = coalesce(s.content_sha256, d.content_sha256),
    media_type = coalesce(s.media_type, d.media_type),
    extraction_outcome = coalesce(s.extraction_outcome, d.extraction_outcome),
    characters = coalesce(s.characters, d.characters),
    pages = coalesce(s.pages, d.pages),
    updated_at = $now
from stage_documents as s
where
    d.spec = $spec
    and d.document_id = s.document_id
    and (d.last_run_key = $run_key or d.content_sha256 is null)
    and (
        (s.content_sha256 is not null and d.content_sha256 is distinct from s.content_sha256)
        or (s.media_type is not null and d.media_type is distinct from s.media_type)
        or (
            s.extraction_outcome is not null
            and d.extraction_outcome is distinct from s.extraction_outcome
        )
        or (s.characters is not null and d.characters is distinct from s.characters)
        or (s.pages is not null and d.pages is distinct from s.pages)
    )

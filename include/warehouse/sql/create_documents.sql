-- Every version of every object that a spec has listed, with its latest state.
create table nightshift.documents (
    spec text not null, -- Name of the spec.
    document_id text not null, -- Identity of one version of an object.
    document_uri text not null, -- Address of the object, whatever its versions.
    bucket text not null, -- Bucket of the object.
    object_key text not null, -- Key of the object in its bucket.
    object_version text not null, -- S3 version id, or ETag, size and time where the bucket has no versions.
    size_bytes bigint not null, -- Size of the object.
    last_modified_at timestamptz not null, -- When S3 says that this version was written.
    content_sha256 text, -- Digest of all of the content, of the text or of the file, even where not all was sent.
    media_type text, -- What the content is, found by looking at it.
    extraction_outcome text, -- What became of the attempt to turn the content into text.
    characters bigint, -- Length of the extracted text.
    pages bigint, -- Pages, where the format has them.
    state text not null, -- Latest state; a final one is never replaced by a lesser one.
    state_reason text, -- Why the document is in that state.
    is_current boolean not null, -- Whether this is the newest version of its address; exactly one is.
    first_run_key text not null, -- Run that listed the version first.
    last_run_key text not null, -- Run that last took the version up.
    first_seen_at timestamptz not null, -- When the version was first listed.
    updated_at timestamptz not null, -- When this row last changed.
    deleted_at timestamptz, -- When a complete listing found the object gone; empty again once it is back.
    erased_at timestamptz, -- When the document was erased on request.
    primary key (spec, document_id),
    check (state in ('enriched', 'reused', 'skipped', 'dead_letter', 'pending'))
)

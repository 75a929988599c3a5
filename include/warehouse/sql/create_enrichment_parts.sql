-- Which requests the answers about long documents are made of; documents may share parts.
create table nightshift.enrichment_parts (
    spec text not null, -- Name of the spec.
    enrichment_id text not null, -- The answer about the whole document.
    part_number bigint not null, -- Place of the part, from 1.
    request_id text not null, -- Request about the part.
    primary key (spec, enrichment_id, part_number)
)

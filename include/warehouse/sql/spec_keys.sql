create or replace temporary view spec_keys as
select document_uri, key_pattern from nightshift."<spec>_keys"

select distinct document_uri from stage_listed

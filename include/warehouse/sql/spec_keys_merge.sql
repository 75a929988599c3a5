insert into nightshift."<spec>_keys" ("<field>")
select s."<field>"
from stage_keys as s
on conflict (document_uri) do update set
    "<value>" = excluded."<value>"

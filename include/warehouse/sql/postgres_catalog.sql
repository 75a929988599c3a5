select
    cast(c.relname as text) as relation_name,
    c.relkind not in ('r', 'p') as is_view,
    obj_description(c.oid, 'pg_class') as relation_comment,
    cast(a.attname as text) as column_name,
    format_type(a.atttypid, a.atttypmod) as column_type,
    col_description(c.oid, a.attnum) as column_comment
from pg_catalog.pg_class as c
join pg_catalog.pg_namespace as n on n.oid = c.relnamespace
join pg_catalog.pg_attribute as a on a.attrelid = c.oid
where
    n.nspname = 'nightshift'
    and c.relkind in ('r', 'p', 'v', 'm', 'f')
    and a.attnum > 0
    and not a.attisdropped
order by c.relname, a.attnum

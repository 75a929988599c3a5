select
    c.table_name as relation_name,
    v.view_name is not null as is_view,
    coalesce(t.comment, v.comment) as relation_comment,
    c.column_name,
    c.data_type as column_type,
    c.comment as column_comment
from duckdb_columns() as c
left join duckdb_tables() as t
    on t.database_name = c.database_name and t.schema_name = c.schema_name and t.table_name = c.table_name
left join duckdb_views() as v
    on v.database_name = c.database_name and v.schema_name = c.schema_name and v.view_name = c.table_name
where c.schema_name = 'nightshift' and c.database_name = current_database()
order by c.table_name, c.column_index

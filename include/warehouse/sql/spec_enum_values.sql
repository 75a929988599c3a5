select enrichment_id, '<table>.<field>' as column_name, "<field>" as value
from nightshift."<table>"

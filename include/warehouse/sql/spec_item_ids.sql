select '<table>' as table_name, enrichment_id
from nightshift."<table>"

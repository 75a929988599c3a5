insert into nightshift."<table>" ("<field>")
select s."<field>"
from "<stage>" as s
join stage_new_enrichments as n on n.row_number = s.row_number

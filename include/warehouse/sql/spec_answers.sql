create or replace temporary view spec_answers as
select * from nightshift."<spec>_history"

"""One module per task of the DAGs, named like it: what the task does, without Airflow."""

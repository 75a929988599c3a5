"""The library: what a night does, without Airflow."""

# The image of every Airflow service: the official one, our packages as pinned, our code.
FROM apache/airflow:3.3.2-python3.11 AS pipeline

COPY requirements.lock /tmp/
RUN uv pip install --no-cache --require-hashes -r /tmp/requirements.lock

# Made here so that the volumes mounted there belong to the user that runs Airflow.
RUN mkdir -p /opt/airflow/auth /opt/airflow/logs /opt/airflow/warehouse

ENV PYTHONPATH=/opt/airflow
COPY dags /opt/airflow/dags
COPY include /opt/airflow/include
COPY plugins /opt/airflow/plugins


# The simulator writes its answers with language libraries that the pipeline has no use for.
FROM pipeline AS simulator

COPY requirements-simulator.lock /tmp/
RUN uv pip install --no-cache --require-hashes -r /tmp/requirements-simulator.lock
RUN mkdir -p /opt/airflow/simulator

ENTRYPOINT ["python", "-m", "include.simulator"]

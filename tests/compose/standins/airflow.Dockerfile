# Stands in for apache/airflow: its user, its paths and its tools. Airflow itself comes with our lock.
FROM nightshift-standin-python
RUN useradd --uid 50000 --gid 0 --create-home --home-dir /home/airflow airflow \
    && mkdir /opt/airflow && chown airflow:root /opt/airflow && chmod g+rwX /opt/airflow
COPY airflow-entrypoint.sh /entrypoint
USER 50000:0
ENV AIRFLOW_HOME=/opt/airflow \
    HOME=/home/airflow \
    VIRTUAL_ENV=/home/airflow/.local \
    PATH=/home/airflow/.local/bin:/usr/local/bin:/usr/bin:/bin \
    SSL_CERT_FILE=/etc/ssl/certs/ca-certificates.crt \
    UV_LINK_MODE=copy
RUN python3 -m venv /home/airflow/.local && pip install --quiet uv
WORKDIR /opt/airflow
ENTRYPOINT ["/usr/bin/dumb-init", "--", "/entrypoint"]
CMD ["--help"]

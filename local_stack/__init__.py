"""The local stack: everything the pipeline needs, as real servers on this machine."""

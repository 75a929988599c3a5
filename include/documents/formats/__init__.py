"""One module per format: bytes in, a `Reading` out, or a `NoTextError` that says why not."""

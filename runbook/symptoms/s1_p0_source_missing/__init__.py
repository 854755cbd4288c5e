"""S1.P0.source-missing: a stream that the pipeline is fed by has no rows."""

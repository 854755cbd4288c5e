"""S1.P1.schema: golden rows are treated as they must not be, or a fingerprint moved under its version."""

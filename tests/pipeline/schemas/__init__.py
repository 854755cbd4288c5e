"""Tests of the persisted rows: models, golden rows, lock, migrations, reference page."""

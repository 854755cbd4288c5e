"""S1.P5.summary: the last run's summary is no summary, or its receipts are not what lies on the disk."""

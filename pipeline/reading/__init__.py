"""Lenient readers that console and runbook share: what cannot be read is said, and never raises."""

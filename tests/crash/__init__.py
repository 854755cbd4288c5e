"""Runs that are killed, starved of disk, or led astray, and what must stand afterwards."""

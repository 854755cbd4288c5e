"""Bytes on disk: hostile source lines in, atomic and durable files out."""

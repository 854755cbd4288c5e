"""Bytes of sources: archives and hostile lines in, digests of both. Writing is ``platform.disk``'s."""

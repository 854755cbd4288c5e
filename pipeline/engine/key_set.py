"""Which keys were seen, in 20 bytes a key: a set of the same keys takes a hundred."""

from __future__ import annotations

from pipeline.engine.chunk_index import KEY_BYTES

_KEYS_A_SHARD = 48
_FIRST_SHARDS = 64


class KeySet:
    """Keys of 16 bytes that are digests, one behind the other in shards. Only grows."""

    def __init__(self) -> None:
        self._shards = [bytearray() for _ in range(_FIRST_SHARDS)]
        self._keys = 0

    def __len__(self) -> int:
        return self._keys

    def add(self, key: bytes) -> bool:
        """Whether the key is new. It is not afterwards."""
        shards = self._shards
        shard = shards[int.from_bytes(key[:4], "little") & (len(shards) - 1)]
        at = shard.find(key)
        while at % KEY_BYTES and at > 0:  # found astride two keys
            at = shard.find(key, at + 1)
        if at >= 0:
            return False
        shard += key
        self._keys += 1
        if self._keys > _KEYS_A_SHARD * len(shards):
            self._split()
        return True

    def _split(self) -> None:
        """Twice as many shards: the keys of each are in two of them."""
        old, bit = self._shards, len(self._shards)
        self._shards = [bytearray()] * (2 * bit)
        for number in range(bit):
            data, old[number] = bytes(old[number]), bytearray()
            parts = bytearray(), bytearray()
            for at in range(0, len(data), KEY_BYTES):
                key = data[at : at + KEY_BYTES]
                parts[int.from_bytes(key[:4], "little") & bit > 0].extend(key)
            self._shards[number], self._shards[number + bit] = parts

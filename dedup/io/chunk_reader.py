"""Give the chunks of a file as a file object, for libraries that read one."""

from __future__ import annotations

import io

from dedup.io.file_bytes import ByteChunks, CorruptFileError

__all__ = ["ChunkReader"]

SKIP_BYTES = 1 << 16


class ChunkReader(io.RawIOBase):
    """Read chunks of bytes as a file, once.

    It ends where the chunks break off; `damage` is then the reason.
    """

    def __init__(self, chunks: ByteChunks) -> None:
        super().__init__()
        self.damage: CorruptFileError | None = None
        self._chunks = chunks
        self._held = memoryview(b"")
        self._position = 0

    def readable(self) -> bool:
        """Return True."""
        return True

    def readinto(self, buffer: bytearray | memoryview) -> int:  # type: ignore[override]
        """Fill a buffer as far as the current chunk goes; return the number of bytes."""
        while not self._held:
            try:
                chunk = next(self._chunks, None)
            except CorruptFileError as damage:
                self.damage, chunk = damage, None
            if chunk is None:
                return 0
            self._held = memoryview(chunk)
        size = min(len(buffer), len(self._held))
        buffer[:size] = self._held[:size]
        self._held = self._held[size:]
        self._position += size
        return size

    def tell(self) -> int:
        """Return the number of bytes read so far."""
        return self._position

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        """Skip bytes, up to a position; raise `io.UnsupportedOperation` for an earlier position, or for one from the end."""
        target = offset + (self._position if whence == io.SEEK_CUR else 0)
        if whence == io.SEEK_END or target < self._position:
            raise io.UnsupportedOperation("a file that is read once cannot go back")
        while self._position < target and self.read(min(target - self._position, SKIP_BYTES)):
            pass
        return self._position

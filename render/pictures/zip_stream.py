"""A zip that is written front to back, so that it can be sent or digested on its way."""

import zipfile

_TIME = (1980, 1, 1, 0, 0, 0)
"""Of all files: the same content gives the same zip."""


class _Sink:
    """Takes what a zip writes. It cannot seek, so the zip needs no going back."""

    def __init__(self) -> None:
        self._parts: list[bytes] = []

    def write(self, content: bytes) -> int:
        self._parts.append(bytes(content))
        return len(content)

    def flush(self) -> None:
        """Do nothing: whoever reads takes what there is."""

    def taken(self) -> bytes:
        content = b"".join(self._parts)
        self._parts.clear()
        return content


class ZipStream:
    """Makes the bytes of a zip, in which nothing is compressed. It may have any size."""

    def __init__(self) -> None:
        self._sink = _Sink()
        self._archive = zipfile.ZipFile(self._sink, "w", zipfile.ZIP_STORED)  # type: ignore[call-overload]

    def add(self, name: str, content: bytes) -> bytes:
        """Add a file. Returns the next bytes of the zip."""
        self._archive.writestr(zipfile.ZipInfo(name, _TIME), content)
        return self._sink.taken()

    def end(self) -> bytes:
        """Return the last bytes of the zip: the list of its files."""
        self._archive.close()
        return self._sink.taken()

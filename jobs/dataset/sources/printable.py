"""Names as text that every reader of UTF-8 takes."""


def printable(name: str) -> str:
    r"""The name, with `\udcff` for a byte 255 in it that is no UTF-8; else the name itself."""
    return name.encode("utf-8", "backslashreplace").decode()

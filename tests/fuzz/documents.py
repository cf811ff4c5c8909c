"""Mutations of nested documents, and of the text that holds them, with a seeded generator."""

import json
import random
from collections.abc import Callable, Sequence
from copy import deepcopy
from typing import Any

import yaml

NUMBERS: tuple[Any, ...] = (
    *(0, 1, -1, 2, 0.5, -0.0, 1e-9, 255, 256, 65_535, 65_536, 2**31, 2**63, 2**64, 10**9, 10**15),
    *(10**30, -(10**30), 10**99, 10**199, -(10**199), 1e30, 1e308, -1e308, 5e-324),
    *(float("nan"), float("inf"), float("-inf"), True, False, None),
)

TEXTS = (
    *("", " ", "~", "null", "true", "no", "NaN", ".inf", "1e400", "0x10", "0o7", "12:30", "1_000"),
    *("auto", "none", "all", "exact", "pretrained", "pareidolia", "lenet5", "webdataset", "../x"),
    *("../../etc/passwd", "/dev/zero", "/proc/self/mem", ".", "..", "/", "a/", "\\", "x" * 255),
    *("x" * 5_000, "é" * 3_000, "💥" * 800, "9" * 200, "9" * 5_000, "-" * 70, "{" * 99, "[" * 500),
    *("a\nb", "a\r\nb", "\t", "\x00", "a\x00b", "\x1b[2J", "\x9b31m", "\u202e", "\u2028", "\ufeff"),
    *("\ud800", "a\udcffb", "\ufffe", "%s%n", "{key}", "{stem}", "{}", "{0}", "{a.b}", "$HOME"),
    *("s3://", "s3://b/k", "http://u:p@h/x", "file:///etc/passwd", "noise:1", "sha256:" + "0" * 64),
    *("60cm x 34cm @ 300dpi", "1x1", "x1e9", "x999999999999", "999999999999x1", "fit 1x1", "0x0"),
    *(
        "64x64",
        "100000x100000",
        "auto x auto",
        "1cm x auto @ 999999999999dpi",
        "#ffffff",
        "#gg0000",
    ),
    *("<<", "&a", "*a", "!!python/object:os.system", "---", "...", "- a", "? a", "a: b", "'", '"'),
)

_TOKENS = (
    *(
        "&a ",
        "*a",
        "!!binary ",
        "!!python/object/apply:os.system [id]",
        "<<: *a\n",
        "---\n",
        "...\n",
    ),
    *(
        "%YAML 1.1\n",
        "%TAG ! x\n",
        "? ",
        ": ",
        "- ",
        "|\n",
        ">-\n",
        "\t",
        "\r",
        "\x00",
        "\ufeff",
        "#",
    ),
    *("{", "}", "[", "]", ",", '"', "'", "\\", "\\u0000", "\\ud800", "1e999", "NaN", "-Infinity"),
    *("\x85", "\u2028", "9" * 300, "kind: atlas\n", "a: &a [x, x]\n", '{"a":' * 90, "[" * 2000),
)

_MAX_DOCUMENT, _MAX_TEXT = 80_000, 120_000
"""The most characters of a mutated document, as JSON, and of a text. More only costs time."""


class Mutator:
    """Mutates documents and texts. The same seed gives the same mutations.

    names: keys that documents of this kind know. values: values that they know.
    """

    def __init__(self, seed: str, names: Sequence[str] = (), values: Sequence[Any] = ()) -> None:
        self.random = random.Random(seed)
        self._names, self._values = names, values

    def document(self, document: Any, others: Sequence[Any] = ()) -> Any:
        """A copy with one to four changes. others: documents from which parts are taken."""
        while True:
            changed = deepcopy(document)
            for _ in range(self.random.choice((1, 1, 1, 2, 2, 3, 4))):
                changed = self._change(changed, others)
            # Changes multiply: a list in a list of a list may take megabytes.
            if len(json.dumps(changed)) <= _MAX_DOCUMENT:
                return changed

    def value(self) -> Any:
        """A hostile value."""
        make: Callable[[], Any] = self.random.choice(
            (
                lambda: self.random.choice(NUMBERS),
                lambda: self.random.choice(NUMBERS),
                lambda: self.random.choice(TEXTS),
                lambda: self.random.choice(TEXTS),
                lambda: self.random.choice(self._values or TEXTS),
                lambda: self.random.randint(-100, 1000),
                lambda: self.random.uniform(-3, 3),
                self._container,
            )
        )
        return make()

    def _container(self) -> Any:
        some = [self.value() for _ in range(self.random.randrange(4))]
        depth = self.random.choice((10, 40, 63, 64, 65, 90, 400))
        return self.random.choice(
            (
                some,
                [some, some],
                [self.random.choice(NUMBERS)] * 10_001,
                {self.name(): one for one in some},
                {f"k{number}": number for number in range(self.random.choice((3, 3000)))},
                _nested(depth, some, is_list=True),
                _nested(depth, some, is_list=False),
            )
        )

    def name(self) -> str:
        """A key."""
        known = self._names if self._names and self.random.random() < 0.9 else TEXTS
        return self.random.choice(known)

    def _change(self, document: Any, others: Sequence[Any]) -> Any:
        """Change one place of a document."""
        places = list(_places(document))
        if not places:
            return self.value()
        holder, key = self.random.choice(places)
        kind = self.random.randrange(10)
        if kind < 5:
            holder[key] = self.value()
        elif kind == 5:
            del holder[key]
        elif kind == 6 and isinstance(holder, dict):
            holder[self.name()] = holder.pop(key)
        elif kind == 7 and isinstance(holder, dict):
            holder[self.name()] = self.value()
        elif kind == 8 and others:
            other = deepcopy(self.random.choice(others))
            found = list(_places(other))
            if found:
                source, name = self.random.choice(found)
                holder[name if isinstance(holder, dict) else key] = source[name]
        elif isinstance(holder, list):
            holder[key:key] = [holder[key]] * self.random.choice((1, 5, 200))
        else:
            holder[key] = [holder[key]] * self.random.choice((1, 2, 30))
        return document

    def text(self, text: str) -> str:
        """A text with one to four changes."""
        for _ in range(self.random.choice((1, 1, 2, 4))):
            text = self._change_text(text)[:_MAX_TEXT]
        return text

    def _change_text(self, text: str) -> str:
        start = self.random.randint(0, len(text))
        end = min(len(text), start + self.random.choice((0, 1, 3, 20, 200)))
        kind = self.random.randrange(6)
        if kind == 0:
            return text[:start] + text[end:]
        if kind == 1:
            return text[:end] + text[start:end] * self.random.choice((1, 2, 500)) + text[end:]
        if kind == 2:
            return text[:start]
        if kind == 3:
            return (
                text[:start]
                + chr(self.random.choice((0, 9, 10, 27, 58, 123, 233, 0x2028)))
                + text[end:]
            )
        return text[:start] + self.random.choice(_TOKENS) + text[end:]

    def content(self, content: bytes) -> bytes:
        """Bytes with one to four changes."""
        for _ in range(self.random.choice((1, 1, 2, 4))):
            content = self._change_content(content)[:_MAX_TEXT]
        return content

    def _change_content(self, content: bytes) -> bytes:
        start = self.random.randint(0, len(content))
        end = min(len(content), start + self.random.choice((0, 1, 2, 4, 8, 100)))
        kind = self.random.randrange(7)
        if kind == 0:
            return content[:start] + content[end:]
        if kind == 1:
            return (
                content[:end] + content[start:end] * self.random.choice((1, 3, 200)) + content[end:]
            )
        if kind == 2:
            return content[:start]
        if kind == 3:
            number = self.random.choice(
                (0, 1, 0x7F, 0xFF, 2**16, 2**31 - 1, 2**32 - 1, 2**63, 2**64 - 1)
            )
            size = self.random.choice((4, 8))
            word = (number % (1 << 8 * size)).to_bytes(size, "little")
            return content[:start] + word + content[start + size :]
        return content[:start] + self.random.randbytes(end - start or 1) + content[end:]

    def encode(self, document: Any) -> bytes:
        """A document as JSON or YAML, at times with broken text or another encoding."""
        is_json = self.random.random() < 0.5
        text = json.dumps(document, ensure_ascii=self.random.random() < 0.5)
        if not is_json:
            text = _as_yaml(document, text, is_flow=self.random.random() < 0.3)
        if self.random.random() < 0.3:
            text = self.text(text)
        kind = self.random.randrange(40)
        encoding = {0: "utf-16", 1: "utf-8-sig", 2: "latin-1"}.get(kind, "utf-8")
        errors = "surrogatepass" if encoding.startswith("utf") else "replace"
        content = text.encode(encoding, errors)
        return self.content(content) if self.random.random() < 0.1 else content


def _places(document: Any) -> list[tuple[Any, Any]]:
    """The holder and the key or index of each value in a document, at most some thousands."""
    found: list[tuple[Any, Any]] = []
    waiting = [document]
    while waiting and len(found) < 3_000:
        holder = waiting.pop()
        entries = (
            list(holder.items())
            if isinstance(holder, dict)
            else list(enumerate(holder))
            if isinstance(holder, list)
            else []
        )[:500]
        found += [(holder, key) for key, _ in entries]
        waiting += [value for _, value in entries]
    return found


def _nested(depth: int, inner: Any, *, is_list: bool) -> Any:
    for _ in range(depth):
        inner = [inner] if is_list else {"a": inner}
    return inner


def _as_yaml(document: Any, fallback: str, *, is_flow: bool) -> str:
    try:
        return str(yaml.safe_dump(document, default_flow_style=is_flow, allow_unicode=True))
    except (yaml.YAMLError, RecursionError, ValueError):
        return fallback

"""The small JSON objects of a store, read as strictly as they are written."""

from typing import Any, Literal, Self

from pydantic import BaseModel, ConfigDict, ValidationError
from pydantic_core import from_json

from jobs.store.errors import Missing, Oversized
from jobs.store.store import Store
from jobs.text.errors import BadRecord
from jobs.text.validation import one_line


class Record(BaseModel):
    """What all of them share: a version, and that nothing else is taken for one."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, allow_inf_nan=False)

    version: Literal[1] = 1

    def encoded(self) -> bytes:
        """One line of JSON."""
        return f"{self.model_dump_json()}\n".encode()

    @classmethod
    def decoded(cls, content: bytes, key: str) -> Self:
        """The record in what was read at a key. Raises BadRecord."""
        try:
            return cls.model_validate_json(content)
        except ValidationError as error:
            raise bad_record(key, one_line(error, cls, _document(content))) from error

    @classmethod
    def read(cls, store: Store, key: str) -> Self:
        """The record at a key. Raises Missing and BadRecord."""
        return cls.decoded(read_bytes(store, key), key)

    @classmethod
    def read_or_none(cls, store: Store, key: str) -> Self | None:
        """The same; None where nothing lies at the key."""
        try:
            return cls.read(store, key)
        except Missing:
            return None


def read_bytes(store: Store, key: str) -> bytes:
    """What records are decoded from. Raises Missing, and BadRecord where it is far too large."""
    try:
        return store.get(key)
    except Oversized as error:
        raise BadRecord(str(error)) from error


def aged_bytes(store: Store, key: str) -> tuple[bytes, float]:
    """The same, and the seconds since it was written, by the store's clock."""
    try:
        return store.aged(key)
    except Oversized as error:
        raise BadRecord(str(error)) from error


def read_mapping(store: Store, key: str) -> dict[str, Any] | None:
    """The JSON object at a key, whatever is in it; None where there is none. Raises BadRecord."""
    try:
        found = read_bytes(store, key)
    except Missing:
        return None
    document = _document(found)
    if not isinstance(document, dict):
        raise bad_record(key, "not a JSON object")
    return document


def bad_record(key: str, complaint: str) -> BadRecord:
    """The error for an object that does not belong at its key."""
    return BadRecord(f"{key}: {complaint}; was it written by something else, or another version?")


def _document(content: bytes) -> Any:
    try:
        return from_json(content)
    except ValueError:
        return None

"""Records: small JSON objects in a store, validated strictly when read.

Anybody with write access to the store may have written them. So each number has a bound, which is
checked before anything is allocated or repeated that often.
"""

from typing import Annotated, Any, ClassVar, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError
from pydantic_core import from_json

from jobs.records.keys import MAX_NUMBER
from jobs.store.errors import ObjectError, ObjectNotFound
from jobs.store.store import MAX_READ_BYTES, Store
from jobs.text.errors import InvalidRecord
from jobs.text.validation import describe_errors

Count = Annotated[int, Field(ge=0, le=10**15)]
"""How many there are of something: of items, steps or bytes. The limit is a petabyte."""


MAX_AMOUNT = 1e30
"""The largest measured number."""


Amount = Annotated[float, Field(ge=0, le=MAX_AMOUNT)]
"""A measured number, such as seconds, or work per second."""


Number = Annotated[int, Field(ge=0, le=MAX_NUMBER)]
"""The number of a lease or a generation."""


MAX_TTL = 7 * 86_400.0
"""The longest time in seconds until a lease expires: a week."""


Ttl = Annotated[float, Field(gt=0, le=MAX_TTL)]
"""Seconds until a lease expires."""


SMALL_RECORD = 1 << 20
"""The most bytes of a record without long lists."""


class Record(BaseModel):
    """The base class of records: frozen, with a version; unknown fields are errors.

    max_bytes: the most bytes of an encoded record.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, allow_inf_nan=False)

    max_bytes: ClassVar[int] = MAX_READ_BYTES

    version: Literal[1] = 1

    def encode(self) -> bytes:
        """The record as one line of JSON."""
        return f"{self.model_dump_json()}\n".encode()

    @classmethod
    def decode(cls, content: bytes, key: str) -> Self:
        """Parse the content of the object at a key. Raises InvalidRecord."""
        if len(content) > cls.max_bytes:
            problem = f"has {len(content)} bytes, but at most {cls.max_bytes} are allowed there"
            raise invalid_record(key, problem)
        try:
            return cls.model_validate_json(content)
        except ValidationError as error:
            raise invalid_record(key, describe_errors(error, cls, _parse_json(content))) from error

    @classmethod
    def read(cls, store: Store, key: str) -> Self:
        """Read the record at a key. Raises ObjectNotFound and InvalidRecord."""
        return cls.decode(read_bytes(store, key), key)

    @classmethod
    def read_or_none(cls, store: Store, key: str) -> Self | None:
        """Read the record at a key, or return None if there is none. Raises InvalidRecord."""
        try:
            return cls.read(store, key)
        except ObjectNotFound:
            return None


def read_bytes(store: Store, key: str) -> bytes:
    """Read an object. Raises ObjectNotFound, and InvalidRecord if it is too large, or no file."""
    try:
        return store.get(key)
    except ObjectError as error:
        raise InvalidRecord(str(error)) from error


def read_bytes_with_age(store: Store, key: str) -> tuple[bytes, float]:
    """Read an object and its age in seconds, by the store's clock. Raises like `read_bytes`."""
    try:
        return store.get_with_age(key)
    except ObjectError as error:
        raise InvalidRecord(str(error)) from error


def read_json_object(store: Store, key: str) -> dict[str, Any] | None:
    """Read any JSON object, or return None if there is none at the key. Raises InvalidRecord."""
    try:
        content = read_bytes(store, key)
    except ObjectNotFound:
        return None
    document = _parse_json(content)
    if not isinstance(document, dict):
        raise invalid_record(key, "not a JSON object")
    return document


def invalid_record(key: str, problem: str) -> InvalidRecord:
    """Make the error for an object with the wrong content."""
    return InvalidRecord(
        f"{key}: {problem}; another program, or another version, may have written it"
    )


def _parse_json(content: bytes) -> Any:
    try:
        return from_json(content)
    except ValueError:
        return None

"""One row of a manifest, before it is understood."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Line:
    """number: from 1, over the rows with something in them. fields: plain values by column, as
    far as they matter. complaint: why the row cannot be used, where its reader knows."""

    number: int
    fields: Mapping[str, Any] = field(default_factory=dict)
    complaint: str | None = None

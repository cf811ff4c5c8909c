"""The field `notify` of a spec: whom to tell when the job ends, by names that the operator gave.

A spec holds no address: anybody who may submit a job could make `work` send requests anywhere. The
addresses are those of `work --notify`; see jobs/notify/README.md.
"""

import re
from typing import Annotated

from pydantic import AfterValidator, Field, WithJsonSchema

MAX_NOTIFIED = 20
"""The most names in a spec, and the most addresses of one `work`."""

_NAME = r"[a-z0-9][a-z0-9_-]{0,39}"


def is_notify_name(text: str) -> bool:
    """Whether a text can be the name of an address."""
    return re.fullmatch(_NAME, text) is not None


def _check_name(text: str) -> str:
    # The text is not repeated: an address may hold a secret.
    if re.search(r"[:/@]", text):
        raise ValueError(
            "is an address; a spec gives only names, and `dreamfarm work --notify NAME=ADDRESS` "
            "gives each its address"
        )
    if not is_notify_name(text):
        raise ValueError("must be a name of at most 40 of a-z, 0-9, '-' and '_'")
    return text


NotifyName = Annotated[
    str,
    AfterValidator(_check_name),
    WithJsonSchema({"type": "string", "pattern": f"^{_NAME}$"}),
]

NotifyField = Annotated[
    tuple[NotifyName, ...],
    Field(max_length=MAX_NOTIFIED, exclude_if=lambda names: not names),
]
"""Specs without it do not have the field at all, so their ids stay as they were."""

"""Stores of objects, in a folder or in an S3 bucket with a prefix.

address             open_store: the store at a path or URL
store               Store, the interface; folder and s3 implement it
retrying            RetryingStore: repeats requests while a store cannot be reached
conditional_write   check_conditional_writes: whether several machines may share a store
key                 valid keys
errors              StoreError and others

Names load on first use, so that commands without a bucket do not load boto3.
"""

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from jobs.store.address import open_store
    from jobs.store.conditional_write import check_conditional_writes
    from jobs.store.errors import (
        LinkOutsideStore,
        ObjectNotFound,
        ObjectTooLarge,
        StoreError,
        StoreRefused,
        StoreUnreachable,
    )
    from jobs.store.folder import FolderStore
    from jobs.store.retrying import RetryingStore
    from jobs.store.s3 import S3Store
    from jobs.store.store import ObjectInfo, Store, UnfinishedUpload, store_time

__all__ = [
    "FolderStore",
    "LinkOutsideStore",
    "ObjectInfo",
    "ObjectNotFound",
    "ObjectTooLarge",
    "RetryingStore",
    "S3Store",
    "Store",
    "StoreError",
    "StoreRefused",
    "StoreUnreachable",
    "UnfinishedUpload",
    "check_conditional_writes",
    "open_store",
    "store_time",
]

_MODULES = {
    "FolderStore": "folder",
    "LinkOutsideStore": "errors",
    "ObjectInfo": "store",
    "ObjectNotFound": "errors",
    "ObjectTooLarge": "errors",
    "RetryingStore": "retrying",
    "S3Store": "s3",
    "Store": "store",
    "StoreError": "errors",
    "StoreRefused": "errors",
    "StoreUnreachable": "errors",
    "UnfinishedUpload": "store",
    "check_conditional_writes": "conditional_write",
    "open_store": "address",
    "store_time": "store",
}


def __getattr__(name: str) -> object:
    if name not in _MODULES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_MODULES[name]}"), name)

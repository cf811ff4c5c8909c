"""Stores of objects, in a folder or in an S3 bucket with a prefix.

address             open_store: the store at a path or URL
store               Store, the interface; folder and s3 implement it
retrying            RetryingStore: repeats requests while a store cannot be reached
conditional_write   check_conditional_writes: whether several machines may share a store
key                 valid keys
errors              StoreError and others

The names are not re-exported here, so that commands without a bucket do not load boto3.
"""

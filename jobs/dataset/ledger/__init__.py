"""The ledger: what became of every item of a dataset, and who wrote it down."""

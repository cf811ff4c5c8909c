"""The ledger of a dataset: one row for every item, in numbered files."""

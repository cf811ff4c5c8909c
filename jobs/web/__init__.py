"""The page and the HTTP API of a store: what `dreamfarm serve` runs. README.md has a map.

It holds no state of its own: whatever it remembers, it can read again from the store.
"""

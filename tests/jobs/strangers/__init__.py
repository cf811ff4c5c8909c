"""What strangers may put into a store, and what becomes of it."""

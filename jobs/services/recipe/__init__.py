"""How an output was made: its recipe, the spec that renders it again, what differs from another."""

"""Everything that follows from a spec before it is rendered: plans, memory, disk, identity."""

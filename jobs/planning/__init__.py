"""What follows from a spec before anything is rendered: plans, memory, disk, identity."""

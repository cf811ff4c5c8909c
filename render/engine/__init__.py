"""What computes dreams: shards, pictures in memory, memory and cost models."""

"""The engines: shards of large pictures, pictures in memory, and their memory and cost models."""

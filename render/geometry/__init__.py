"""Integer geometry: tiles, sampling grid, halos, partitions."""

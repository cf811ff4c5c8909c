"""The soak: random faults over posters, datasets and atlases; `make soak`."""

"""Integer geometry: rectangles, tiles, the network's sampling grid, windows and halos."""

"""`dreamfarm doctor`: whether this machine, a store and a cluster can do the work."""

"""`dreamfarm doctor`: checks of this machine, a store and a cluster."""

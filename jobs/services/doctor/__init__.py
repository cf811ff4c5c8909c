"""The checks of `dreamfarm doctor`: this machine, a store and a cluster."""

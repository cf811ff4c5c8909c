"""A word when a job is done: messages to the addresses of the operator of `dreamfarm work`."""

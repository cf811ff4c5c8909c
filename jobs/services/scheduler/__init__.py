"""The scheduler of `dreamfarm work`: it starts a coordinator process for each job."""

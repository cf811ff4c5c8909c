"""`dreamfarm work`: which job is next, and a coordinator process for each job."""

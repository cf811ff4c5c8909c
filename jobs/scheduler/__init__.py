"""`dreamfarm work`: which job next, and a process for each."""

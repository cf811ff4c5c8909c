"""From a spec to finished files. Uses `render` and `cluster`, which do not know each other."""

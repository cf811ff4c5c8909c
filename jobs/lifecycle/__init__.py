"""The life of a job in a store: submitted, leased, rendered, ended. Loads neither torch nor ray."""

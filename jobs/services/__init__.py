"""Services for jobs of all kinds: the client, the scheduler, cleaning, and checks."""

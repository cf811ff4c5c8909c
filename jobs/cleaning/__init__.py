"""What a store need not keep: jobs that their users delete, and what work has left behind."""

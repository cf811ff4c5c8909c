"""What both kinds of jobs use while they run: context, checkpoints, metrics, backends."""

"""What survives: the canvas as it was after some step, exactly, in the store."""

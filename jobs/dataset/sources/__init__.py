"""What a dataset's inputs are: listing them as a stream, and bringing one of them to hand."""

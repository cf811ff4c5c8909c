"""Text in and out: documents, errors, validation messages."""

"""Time and cost estimates for crews of any size."""

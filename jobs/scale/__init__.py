"""The model of scale: what a crew of any size would take, from geometry and measured constants."""

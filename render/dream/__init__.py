"""The dream: objectives, gradients, steps, octaves, and the whole-picture reference."""

"""A poster: one picture, dreamed by a crew, octave by octave."""

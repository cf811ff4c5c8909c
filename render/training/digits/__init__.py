"""LeNet-5's training: digits from a font and from strokes, its command and its figures."""

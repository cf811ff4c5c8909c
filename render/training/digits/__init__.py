"""Trains the built-in network `lenet5` on drawn digits: `python -m render.training.digits`.

pictures: one picture of a digit, and batches. handwriting: the strokes of handwritten digits.
__main__: the command. figures.json: the evaluation of the weights in the repository.
"""

"""Feature visualisation: gradient ascent on the Fourier coefficients of a picture."""

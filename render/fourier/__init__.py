"""Feature visualisation from Fourier coefficients."""

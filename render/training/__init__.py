"""How the built-in networks were trained, on pictures that formulas draw. See README.md.

Nothing else imports this package. `python -m render.training` trains pareidolia.

- motifs: the functions that draw the classes of pareidolia
- pictures, dataset: training pictures, and batches of them
- train: adversarial training
- evaluation: accuracy of a trained network, and the metadata of its weights file
- digits: the pictures and the command for lenet5
"""

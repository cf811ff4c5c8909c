"""How networks are trained: the built-in ones, and one on anyone's own pictures. See README.md.

`python -m render.training` trains pareidolia on pictures that formulas draw.

- motifs: the functions that draw the classes of pareidolia
- pictures, dataset: training pictures, and batches of them
- train: adversarial training
- evaluation: accuracy of a trained network, and its weights file
- digits: the pictures and the command for lenet5
- finetune: pareidolia, trained further on a folder of pictures (`dreamfarm train`)
"""

"""Trains pareidolia on anyone's own pictures: `dreamfarm train`. See ../README.md.

- image_folder: the motifs of a folder, each a folder of pictures
- picture_pool: reads the pictures as small squares, and holds some out
- batches: random views of the pictures, beside pareidolia's own motifs
- finetune: the training, its checkpoints, its figures and its weights file
- class_pictures: every class, dreamed from noise
"""

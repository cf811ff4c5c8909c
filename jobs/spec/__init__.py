"""Specs: what a user requests, as frozen models.

poster, dataset, atlas      the three kinds of specs; an atlas is expanded into a dataset
document                    from a spec file and command-line options to a spec
base                        parts that several kinds share: network, tiles, crew, limits
size, resize, colour        small languages for field values
inputs, output_names        where a dataset reads, and how its outputs are named
attachments                 masks and guides in a document
looks                       named fragments of specs
"""

"""Fetches a poster: downloads its files, or encodes other formats from its last checkpoint.

fetch             fetches the formats that a user asks for
outputs           an output to download, or to encode
print_outputs     outputs for the printer, of one or more files
canvas            the final canvas, from which any format can be encoded
folder            the folder that results are written to
"""

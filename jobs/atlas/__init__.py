"""Atlases: what a network sees, layer by layer, channel by channel, class by class."""

"""Layers that prepare data: tables, text, images, sound; many learn their state from data by `adapt`."""

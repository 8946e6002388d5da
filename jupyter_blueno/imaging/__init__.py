"""Pixels: formats, slices, thumbnails. Knows files, not the catalog."""

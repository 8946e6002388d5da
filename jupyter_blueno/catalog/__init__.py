"""Datasets, versions, samples: what exists and how to find it."""

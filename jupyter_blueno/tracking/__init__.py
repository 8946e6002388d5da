"""Tracking: programs with pages of their own beside Lab, and jobs as runs of MLflow."""

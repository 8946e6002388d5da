"""Schedules: jobs that start by themselves, at times or when a dataset has a new version."""

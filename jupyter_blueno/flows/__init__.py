"""Flows: steps that are jobs, each started as soon as what it needs is there."""

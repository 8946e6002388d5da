"""Sweeps: the same work with many values, judged by what it measures. Each trial is a job."""

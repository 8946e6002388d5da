"""What runs in a job's own process, or is called there. Standard library only until the work needs more."""

"""The local queue and what watches over a job: processes of their own. Standard library only."""

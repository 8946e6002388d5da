"""Programs of jobs that run other jobs. They ask the platform as clients do, and may be killed."""

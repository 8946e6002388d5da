"""Background jobs: what is asked, what runs, what came of it."""

"""Getting data in: sources, and the run that makes a version of them."""

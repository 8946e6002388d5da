"""What a job is made of when it is submitted: the request read, the snapshot taken, the plan written."""

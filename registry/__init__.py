"""What is, and every door to it: records, imports, API, jobs, command line."""

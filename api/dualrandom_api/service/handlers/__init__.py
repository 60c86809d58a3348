"""What does the jobs, one module a topic: each adds its functions to ``runner.HANDLERS`` when it is imported."""

"""What was done in a project, word for word."""

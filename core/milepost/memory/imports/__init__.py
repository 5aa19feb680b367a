"""Memory that other tools keep, read into entries: one tool a file. Nothing here ever writes."""

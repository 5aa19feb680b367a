"""Putting this server into the configuration of an agent or editor, and taking it out again."""

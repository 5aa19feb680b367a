"""The agent's hands: what it reads, changes and runs in a project."""

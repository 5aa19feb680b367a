"""How many tests ran and how they ended, from where the project's code can write the least."""

"""A conversation with the worker, turn by turn, which several editors may look at."""

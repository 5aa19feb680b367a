"""The tree of tasks: what is to be done, in which order, and what shows that it is."""

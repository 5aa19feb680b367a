"""The code actions, one a file: when each is offered, and the command behind it."""

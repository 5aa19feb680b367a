"""The terminal: a guest like the servers, it enters the core only by `api`."""

"""Language models as a stream of parts: one protocol, and what speaks it."""

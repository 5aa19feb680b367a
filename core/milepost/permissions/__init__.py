"""What may be done without asking."""

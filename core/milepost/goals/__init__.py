"""Conditions for "done", and what Milepost itself saw of them."""

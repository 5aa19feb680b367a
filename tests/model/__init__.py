"""A small real model on this machine, for `make model`; no part of the suite."""

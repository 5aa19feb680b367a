"""What the server answers, one LSP request a file. A module registers itself with `register`."""

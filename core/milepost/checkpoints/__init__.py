"""Points to return to: what the files were, kept outside the project and its version control."""

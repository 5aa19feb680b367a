"""Small projects with work done on them, honest and not, each with the verdict that is right."""

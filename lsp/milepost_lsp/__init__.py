"""Milepost's language server: memory, restore points and goals inside the editor."""

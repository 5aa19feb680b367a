"""What is remembered: Markdown files that hold the truth, and an index that can be made again."""

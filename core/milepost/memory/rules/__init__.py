"""What agents' own instruction files say (AGENTS.md, CLAUDE.md, ...): read as rules, never written.

A file of a repository is the repository's word. It is data with a source, and no entry of it ever
counts as stated by the user; see docs/decisions/0009.
"""

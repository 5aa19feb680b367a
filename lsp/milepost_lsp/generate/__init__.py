"""What is written from `milepost_lsp/protocol`: JSON Schema, TypeScript and tables.

For whoever works on Milepost; the server does not load it.
"""

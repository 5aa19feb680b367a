"""The agent core: memory, checkpoints and goals. It knows nothing of LSP or MCP."""

__version__ = "0.1.0"

"""MCP over Streamable HTTP, by the official SDK (decision 0014)."""

"""Milepost's memory, restore points and goals as tools for other agents, over MCP."""

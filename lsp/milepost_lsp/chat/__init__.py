"""The chat as an editor sees it: the core's conversations on the wire."""

"""The same project and data folder as the language server's tests have."""

from tests.lsp.conftest import client, connect, other, project

__all__ = ["client", "connect", "other", "project"]

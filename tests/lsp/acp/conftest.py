"""The project of the language server's tests."""

from tests.lsp.conftest import other, project

__all__ = ["other", "project"]

"""The open documents, with lines broken where LSP breaks them (see `text.py` for why)."""

from __future__ import annotations

from lsprotocol import types
from pygls.workspace import TextDocument, Workspace

from milepost_lsp.text import Text


class Document(TextDocument):
    """A document whose lines are split once a version rather than once a question."""

    _text: Text | None = None

    @property
    def text(self) -> Text:
        """The document as it stands."""
        source = self.source
        if self._text is None or self._text.source is not source:
            self._text = Text(source, self.position_codec)
        return self._text

    @property
    def lines(self) -> tuple[str, ...]:
        return self.text.lines


class Documents(Workspace):
    """pygls' workspace, making our documents."""

    def _create_text_document(
        self,
        doc_uri: str,
        source: str | None = None,
        version: int | None = None,
        language_id: str | None = None,
    ) -> TextDocument:
        return Document(
            doc_uri,
            source=source,
            version=version,
            language_id=language_id,
            sync_kind=types.TextDocumentSyncKind.Incremental,
            position_codec=self.position_codec,
        )

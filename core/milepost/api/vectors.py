"""The model that helps the searches, for one workspace."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from milepost.api import views
from milepost.base.errors import WorldError
from milepost.search import models
from milepost.search.embedding import Embedding

if TYPE_CHECKING:
    from milepost.config import tables


class Vectors:
    """The model that is used, if any. A workspace that is brief loads none: a command in the
    terminal would wait longer for the model than for everything else."""

    def __init__(self, asked: tables.Vectors, *, is_brief: bool) -> None:
        self._asked = None if asked == "auto" else asked
        self._model: models.Model | None = models.chosen(asked)
        self.embedding: Embedding | None = None
        if self._model is not None and not is_brief:
            self.embedding = Embedding(partial(models.load, self._model))

    def use(self) -> views.VectorUse:
        """Load the model and try it."""
        if self._model is None:
            return views.VectorUse(asked=self._asked, model=None, failure=None)
        try:
            models.load(self._model).embed(["a text to try it with"])
        except WorldError as error:
            return views.VectorUse(asked=self._asked, model=self._model, failure=str(error))
        return views.VectorUse(asked=self._asked, model=self._model, failure=None)

    def close(self) -> None:
        """End what works in the background."""
        if self.embedding is not None:
            self.embedding.close()

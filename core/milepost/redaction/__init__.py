"""Secrets become placeholders here, before anything is stored, shown or sent to a model."""

"""Finding texts by plain words: one table, one ranking, used by memory and history alike."""

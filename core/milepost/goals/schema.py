"""The tables of goals, their evidence and verdicts: numbered migrations, never edited."""

from __future__ import annotations

MIGRATIONS = (
    """
    CREATE TABLE goal (
        number INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE,
        condition TEXT NOT NULL, state TEXT NOT NULL,
        source TEXT NOT NULL, created_at TEXT NOT NULL
    ) STRICT;
    CREATE TABLE goal_check (
        goal TEXT NOT NULL REFERENCES goal (id), position INTEGER NOT NULL,
        command TEXT NOT NULL, expect_exit INTEGER NOT NULL, timeout_s REAL NOT NULL,
        PRIMARY KEY (goal, position)
    ) STRICT, WITHOUT ROWID;
    CREATE TABLE evidence (
        number INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE,
        goal TEXT NOT NULL REFERENCES goal (id), root TEXT NOT NULL,
        command TEXT NOT NULL, expect_exit INTEGER NOT NULL,
        exit_code INTEGER, timed_out INTEGER NOT NULL,
        duration_ms INTEGER NOT NULL, started_at TEXT NOT NULL,
        output_tail BLOB NOT NULL, output_bytes INTEGER NOT NULL, output_sha256 TEXT NOT NULL,
        tree_hash TEXT NOT NULL, is_settled INTEGER NOT NULL
    ) STRICT;
    CREATE INDEX evidence_reuse ON evidence (goal, tree_hash, command);
    CREATE TABLE verdict (
        number INTEGER PRIMARY KEY, goal TEXT NOT NULL REFERENCES goal (id),
        verdict TEXT NOT NULL, reason TEXT NOT NULL, evidence TEXT NOT NULL, at TEXT NOT NULL
    ) STRICT;
    CREATE INDEX verdict_goal ON verdict (goal, number);
    """,
    # Kinds of checks; what the project was when the goal was set; what the user agreed to. Evidence
    # from before has no surroundings, so it is never used again.
    """
    ALTER TABLE goal ADD COLUMN max_verifications INTEGER;
    ALTER TABLE goal ADD COLUMN max_seconds REAL;
    ALTER TABLE goal_check ADD COLUMN kind TEXT NOT NULL DEFAULT 'command';
    ALTER TABLE goal_check ADD COLUMN path TEXT NOT NULL DEFAULT '';
    ALTER TABLE goal_check ADD COLUMN wanted TEXT NOT NULL DEFAULT '';
    ALTER TABLE evidence ADD COLUMN surroundings TEXT NOT NULL DEFAULT '';
    ALTER TABLE evidence ADD COLUMN counts TEXT;
    ALTER TABLE evidence ADD COLUMN how TEXT NOT NULL DEFAULT '';
    ALTER TABLE evidence ADD COLUMN problem TEXT;
    CREATE TABLE goal_start (
        goal TEXT NOT NULL REFERENCES goal (id), root TEXT NOT NULL,
        snapshot INTEGER NOT NULL, commit_id TEXT, branch TEXT, hooks TEXT NOT NULL,
        PRIMARY KEY (goal, root)
    ) STRICT, WITHOUT ROWID;
    CREATE TABLE baseline (
        goal TEXT NOT NULL REFERENCES goal (id), check_words TEXT NOT NULL, counts TEXT NOT NULL,
        PRIMARY KEY (goal, check_words)
    ) STRICT, WITHOUT ROWID;
    CREATE TABLE allowed (
        command TEXT PRIMARY KEY, actor TEXT NOT NULL, at TEXT NOT NULL
    ) STRICT, WITHOUT ROWID;
    CREATE TABLE accepted (
        goal TEXT NOT NULL REFERENCES goal (id), sign TEXT NOT NULL,
        words TEXT NOT NULL, actor TEXT NOT NULL, at TEXT NOT NULL,
        PRIMARY KEY (goal, sign)
    ) STRICT, WITHOUT ROWID;
    CREATE TABLE goal_move (
        number INTEGER PRIMARY KEY, goal TEXT NOT NULL REFERENCES goal (id),
        from_state TEXT NOT NULL, to_state TEXT NOT NULL, actor TEXT NOT NULL, at TEXT NOT NULL
    ) STRICT;
    """,
    # What held the command; empty for what was seen before there was anything to hold it.
    "ALTER TABLE evidence ADD COLUMN sandbox TEXT NOT NULL DEFAULT '';",
)

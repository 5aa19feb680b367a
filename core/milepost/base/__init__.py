"""What every room stands on: errors, ids, clock, files, locks, SQLite and processes."""

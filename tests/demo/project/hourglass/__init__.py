"""Timesheets in plain text, invoices on the command line."""

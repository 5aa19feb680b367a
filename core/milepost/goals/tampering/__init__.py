"""Signs that what was to judge the work was changed by the work."""

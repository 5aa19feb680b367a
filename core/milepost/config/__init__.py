"""Settings and paths. The only room that reads the environment and the home directory."""

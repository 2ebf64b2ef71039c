"""Which rows stay: each filter is a module with one record of what it measures and what it drops."""

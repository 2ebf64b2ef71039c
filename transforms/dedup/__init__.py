"""Which copies of a file go. Only fingerprints and decisions are shuffled, never content."""

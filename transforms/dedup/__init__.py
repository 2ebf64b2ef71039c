"""Decides which copies of a file are removed. Only fingerprints and decisions are shuffled, never content."""

"""Files into fill-in-the-middle examples: guarded parsing, sites, sampling, rows, and the invariants that rows keep."""

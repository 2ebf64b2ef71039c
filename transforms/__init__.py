"""What happens to data, in order: filters, dedup, split. Pure functions on Arrow batches; Beam wrappers thin and last."""

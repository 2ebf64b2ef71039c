"""Splits files into fill-in-the-middle examples: parsing within a budget, sites, sampling, half-written contexts, rows."""

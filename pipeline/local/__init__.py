"""Processes, memory and progress of a run on one machine."""

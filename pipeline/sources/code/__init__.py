"""Rows from source trees: repositories, packages and installed distributions."""

"""Fill-in-the-middle training data from source code."""

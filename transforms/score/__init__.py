"""What a model says of each example: scores, a verdict by limits, and how far its sense of an end can be trusted."""

"""A model's judgement of each example: scores, a verdict by limits, and how well the model recognises a true end."""

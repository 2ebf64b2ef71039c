"""Conversations beside examples: read from published formats, filtered for quality, rendered, and mixed by shares of tokens."""

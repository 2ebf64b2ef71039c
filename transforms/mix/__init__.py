"""Conversations beside examples: read from published layouts, filtered for quality, rendered, and mixed by shares of tokens."""

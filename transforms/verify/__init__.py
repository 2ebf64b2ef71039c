"""The invariants of examples, checked from the rows: written apart from the splitter, to catch what it gets wrong.

It shares with the splitter the schema, the language table and the parser, not the logic of sites.
"""

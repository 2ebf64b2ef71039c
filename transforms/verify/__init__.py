"""The invariants of examples, checked from the rows: written apart from the splitter, to catch its mistakes.

Both use the schema, the language table and the parser; the logic of sites is not shared.
"""

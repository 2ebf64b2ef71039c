"""Named rules about paths, as one expression: which rule a file's path meets is found in one search."""

import re

import pyarrow as pa


def path_rules(*rules: tuple[str, str]) -> re.Pattern[str]:
    """One expression of rules, each a name and an expression that is searched for in a path; earlier rules come first."""
    return re.compile("|".join(f"(?P<{name}>{pattern})" for name, pattern in rules))


def rules_met(rules: re.Pattern[str], paths: pa.StringArray) -> list[str]:
    """The name of the rule that each path meets; empty where it meets none."""
    return [(found.lastgroup or "") if (found := rules.search(path)) else "" for path in paths.to_pylist()]

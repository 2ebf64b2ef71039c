"""Files that are copied in from another project.

Rules: linguist's vendor.yml (https://github.com/github-linguist/linguist), which Refact's own file filter runs
("vendored"). Of linguist's folders only those count that hold dependencies and nothing else.
"""

import pyarrow as pa

from stackfim.transforms.filters.decision import Drops
from stackfim.transforms.filters.filter import Filter, Score
from stackfim.transforms.filters.path_rules import path_rules, rules_met

_PATHS = path_rules(
    ("node_modules", r"(?:^|/)(?:node_modules|bower_components|jspm_packages|web_modules)/"),
    ("vendor_folder", r"(?:^|/)(?:_?vendor(?:s|ed)?|Godeps/_workspace|Pods|Carthage/Checkouts)/"),
    ("third_party", r"(?:^|/)(?:third|3rd)[-_]?party/"),
    ("wrapper", r"(?:^|/)(?:gradlew|mvnw)(?:\.bat|\.cmd)?$|(?:^|/)\.yarn/releases/"),
    ("autotools", r"(?:^|/)(?:config\.(?:guess|sub)|ltmain\.sh|install-sh|depcomp|mkinstalldirs|test-driver|libtool\.m4)$"),
    ("bundled_script", r"(?:^|/)(?:jquery|bootstrap|angular|prototype|modernizr|knockout|mootools)[-.]\d[\w.\-]*\.js$"),
)  # fmt: skip


def vendored_by(paths: pa.StringArray) -> list[str]:
    """For each path, the rule by which its file is another project's; empty for other files."""
    return rules_met(_PATHS, paths)


def decide_vendored(rules: list[str]) -> Drops:
    """Drops `vendored` rows; the detail names the rule."""
    return {row: ("vendored", f"from another project: {rule}") for row, rule in enumerate(rules) if rule}


VENDORED: Filter[list[str]] = Filter(
    stage="vendored",
    measure=lambda rows, plan: vendored_by(rows.column("path")),
    decide=lambda rules, languages, plan: decide_vendored(rules),
    scores=(
        Score(
            "vendored_by",
            pa.string(),
            lambda rules: rules,
            description="Rule by which the file is another project's; empty for most.",
        ),
    ),
)

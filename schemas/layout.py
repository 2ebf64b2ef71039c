"""The two orders in which a prompt can show prefix and suffix."""

PSM = "psm"
"""Prefix first, then suffix, then middle."""

SPM = "spm"
"""Suffix first, then prefix, then middle."""

LAYOUTS = (PSM, SPM)
"""Both, in the order in which columns and reports list them."""

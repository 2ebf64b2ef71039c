"""The license that a web address is about: the pages of the lists, of the authors of licenses, and of package registries.

The whole address has to be one of those. A page about a project, such as `https://github.com/a/b/blob/main/LICENSE`, tells
nothing without being read, and addresses without a fixed content (`https://aka.ms/deprecateLicenseUrl`) neither.
"""

import re
from urllib.parse import unquote

ADDRESSES: dict[str, str] = {
    "apache.org/licenses": "Apache-2.0",
    "asm.ow2.io/license": "BSD-3-Clause",
    "blueoakcouncil.org/license/1.0.0": "BlueOak-1.0.0",
    "boost.org/license_1_0": "BSL-1.0",
    "boost.org/users/license": "BSL-1.0",
    "creativecommons.org/publicdomain/zero/1.0": "CC0-1.0",
    "eclipse.org/legal/epl-2.0": "EPL-2.0",
    "eclipse.org/legal/epl-v10": "EPL-1.0",
    "eclipse.org/legal/epl-v20": "EPL-2.0",
    "eclipse.org/org/documents/edl-v10": "BSD-3-Clause",
    "eclipse.org/org/documents/epl-2.0/epl-2.0": "EPL-2.0",
    "eclipse.org/org/documents/epl-v10": "EPL-1.0",
    "json.org/license": "JSON",
    "mit-license.org": "MIT",
    "mozilla.org/en-us/mpl/2.0": "MPL-2.0",
    "mozilla.org/media/mpl/2.0/index.815ca599c9df": "MPL-2.0",
    "mozilla.org/mpl/1.1": "MPL-1.1",
    "mozilla.org/mpl/2.0": "MPL-2.0",
    "mozilla.org/mpl/mpl-1.1": "MPL-1.1",
    "oss.oracle.com/licenses/upl": "UPL-1.0",
    "postgresql.org/about/licence": "PostgreSQL",
    "repository.jboss.org/licenses/apache-2.0": "Apache-2.0",
    "repository.jboss.org/licenses/cc0": "CC0-1.0",
    "repository.jboss.org/licenses/mit": "MIT",
    "scripts.sil.org/ofl": "OFL-1.1",
    "slf4j.org/license": "MIT",
    "unlicense.org": "Unlicense",
    "unlicense.org/unlicense": "Unlicense",
    "wtfpl.net": "WTFPL",
    "wtfpl.net/about": "WTFPL",
    "zlib.net/zlib_license": "Zlib",
}
"""Addresses in the form that `_bare` gives."""

_PATTERNS = tuple(
    re.compile(pattern)
    for pattern in (
        r"opensource\.org/licenses?/(?P<name>[\w.+-]+)",
        r"spdx\.org/licenses/(?P<name>[\w.+-]+)",
        r"licenses\.nuget\.org/(?P<expression>[^/]+)",
        r"choosealicense\.com/licenses/(?P<name>[\w.+-]+)",
        r"(?:api\.)?github\.com/licenses/(?P<name>[\w.+-]+)",
        r"tldrlegal\.com/license/(?P<name>[\w.+-]+)",
        r"scancode-licensedb\.aboutcode\.org/(?P<name>[\w.+-]+)",
        r"apache\.org/licenses/(?P<name>license-[12]\.[01])",
        r"gnu\.org/(?:licenses|copyleft)/(?:old-licenses/)?(?P<name>(?:a|l)?gpl(?:-?v?[123](?:\.[01])?)?)(?:-standalone)?",
        r"creativecommons\.org/licenses/(?P<by>by(?:-nc)?(?:-nd|-sa)?)/(?P<version>\d\.\d)(?:/(?P<place>[a-z]{2,4}))?",
    )
)
_SCHEME = re.compile(r"(?:https?:)?//(?:www\.)?|www\.", re.IGNORECASE)
_END = re.compile(r"(?:/legalcode|/deed)?(?:\.(?:en|us))?(?:\.(?:html?|txt|php|md|json|aspx))?/?", re.IGNORECASE)
_MAX_CHARS = 300
_CODES_OF_APACHE = {"license-2.0": "Apache-2.0", "license-1.1": "Apache-1.1", "license-1.0": "Apache-1.0"}


def address_license(address: str) -> str | None:
    """The name or expression of the license that a web address is about; None where it is about none or is no address."""
    bare = _bare(address)
    if bare is None:
        return None
    if bare in ADDRESSES:
        return ADDRESSES[bare]
    found = next((match for pattern in _PATTERNS if (match := pattern.fullmatch(bare)) is not None), None)
    return _name(found.groupdict()) if found is not None else None


def _name(parts: dict[str, str | None]) -> str:
    if parts.get("expression"):
        return unquote(parts["expression"] or "").replace("+", " ")
    if parts.get("by"):
        place = f"-{parts['place']}" if parts.get("place") else ""
        return f"CC-{parts['by']}-{parts['version']}{place}"
    name = parts["name"] or ""
    return _CODES_OF_APACHE.get(name, name.removesuffix("-license"))


def _bare(address: str) -> str | None:
    """The address in lower case, without scheme, query, and what says in which form or language the page is."""
    address = address.strip().strip("<>")
    begin = _SCHEME.match(address)
    if len(address) > _MAX_CHARS or begin is None or re.search(r"\s", address):
        return None
    path = re.split(r"[?#]", address[begin.end() :], maxsplit=1)[0].rstrip("/").lower()
    # The shortest beginning after which only such an end follows.
    cut = next(place for place in range(max(len(path) - 30, 0), len(path) + 1) if _END.fullmatch(path, place))
    return path[:cut]

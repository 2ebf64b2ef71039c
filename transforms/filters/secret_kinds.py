"""The kinds of secrets that a prefix or another fixed part tells: one row of a table for each.

Prefixes, alphabets and lengths are those that the issuers publish, as the lists of gitleaks (config/gitleaks.toml) and of
GitHub's secret scanning (supported patterns) collect them. docs/filters.md says which of their kinds are left out and why.
"""

import base64
import binascii
import json
import re
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from stackfim.transforms.filters.secret_values import is_mixed, is_varied

_BASE62 = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"


@dataclass(frozen=True)
class SecretKind:
    """One kind of secret."""

    name: str
    anchors: tuple[bytes, ...]
    """Every secret of the kind has one of these, of three bytes or more, which is searched for in the whole batch."""
    pattern: re.Pattern[bytes]
    """Tried where an anchor begins; the secret is its group `secret`, or else all of the match."""
    is_real: Callable[[bytes], bool]
    """Whether a match has the structure of the kind."""
    inside_word: bool = False
    """Whether letters may stand right before the anchor."""


def _has_checksum(token: bytes) -> bool:
    """Whether a token of GitHub or npm ends in the CRC32 of the 30 characters before, as six digits in base 62.

    https://github.blog/engineering/behind-githubs-new-authentication-token-formats/
    """
    body, checksum = token[-36:-6], token[-6:].decode("ascii")
    value, digits = zlib.crc32(body), ""
    for _ in range(6):
        value, digit = divmod(value, 62)
        digits = _BASE62[digit] + digits
    return digits == checksum


def _is_jwt(token: bytes) -> bool:
    """Whether the header decodes to JSON with an algorithm (RFC 7519) and the token is not the one of all tutorials."""
    header, payload, _ = token.split(b".")
    claims = _decoded_json(payload)
    algorithm = (_decoded_json(header) or {}).get("alg")
    if not isinstance(algorithm, str) or claims is None or algorithm.lower() == "none":
        return False
    return claims.get("sub") != "1234567890" and claims.get("name") != "John Doe"


def _decoded_json(part: bytes) -> dict[str, Any] | None:
    try:
        value = json.loads(base64.urlsafe_b64decode(part + b"=" * (-len(part) % 4)))
    except (binascii.Error, ValueError, RecursionError):
        return None
    return value if isinstance(value, dict) else None


def _holds_private_key(text: bytes) -> bool:
    """Whether base 64, whole or cut off, decodes to the first line of a private key."""
    body = text.rstrip(b"=")
    start = base64.b64decode(body[: len(body[:80]) // 4 * 4])
    return b"PRIVATE KEY" in start and len(body) >= 150


_END = r"(?![A-Za-z0-9_])"
_END_DASH = r"(?![A-Za-z0-9_\-])"
_Row = tuple[str, str, str, Callable[[bytes], bool]]
_WORD_STARTS: tuple[_Row, ...] = (
    # Key ids are in base 32 (RFC 4648): letters and the digits 2 to 7.
    ("aws_access_key_id", "AKIA ASIA ABIA ACCA", rf"A[KSBC][IC]A[A-Z2-7]{{16}}{_END}", is_varied),
    ("aws_bedrock_key", "ABSK", rf"ABSK[A-Za-z0-9+/]{{109,269}}={{0,2}}{_END}", is_mixed),
    ("age_key", "AGE-SECRET-KEY-1", rf"AGE-SECRET-KEY-1[QPZRY9X8GF2TVDW0S3JN54KHCE6MUA7L]{{58}}{_END}", is_varied),
    ("alibaba_access_key_id", "LTAI", rf"LTAI[A-Za-z0-9]{{12,20}}{_END}", is_mixed),
    ("anthropic_key", "sk-ant-", rf"sk-ant-[a-z]{{3,5}}[0-9]{{2}}-[A-Za-z0-9_\-]{{80,100}}{_END_DASH}", is_mixed),
    ("artifactory_key", "AKCp", rf"AKCp[A-Za-z0-9]{{69}}{_END}", is_mixed),
    ("artifactory_token", "cmVmd", rf"cmVmd[A-Za-z0-9]{{59}}{_END}", is_mixed),
    ("atlassian_token", "ATATT3 ATCTT3", rf"AT[AC]TT3[A-Za-z0-9_\-=]{{180,200}}{_END_DASH}", is_mixed),
    ("bitbucket_token", "ATBB", rf"ATBB[A-Za-z0-9]{{32}}{_END}", is_mixed),
    ("clojars_token", "CLOJARS_", rf"CLOJARS_[a-z0-9]{{60}}{_END}", is_mixed),
    ("cloudflare_origin_key", "v1.0-", rf"v1\.0-[a-f0-9]{{24}}-[a-f0-9]{{146}}{_END_DASH}", is_mixed),
    ("databricks_token", "dapi", rf"dapi[a-f0-9]{{32}}(?:-[0-9])?{_END}", is_mixed),
    ("digitalocean_token", "dop_v1_ doo_v1_ dor_v1_", rf"do[opr]_v1_[a-f0-9]{{64}}{_END}", is_mixed),
    ("docker_token", "dckr_", rf"dckr_(?:pat|oat)_[A-Za-z0-9_\-]{{27,32}}{_END_DASH}", is_mixed),
    ("doppler_token", "dp.pt. dp.st. dp.ct. dp.sa. dp.scim. dp.audit.",
     rf"dp\.[a-z]{{2,5}}\.(?:[a-z0-9\-_]{{2,35}}\.)?[A-Za-z0-9]{{40,44}}{_END}", is_mixed),
    ("duffel_token", "duffel_", rf"duffel_(?:test|live)_[A-Za-z0-9_\-=]{{43}}{_END_DASH}", is_mixed),
    ("dynatrace_token", "dt0c01. dt0s01.", rf"dt0[cs]01\.[A-Z0-9]{{24}}\.[A-Z0-9]{{64}}{_END}", is_mixed),
    ("easypost_key", "EZAK EZTK", rf"EZ[AT]K[A-Za-z0-9]{{54}}{_END}", is_mixed),
    ("facebook_token", "EAAM EAAC EAAG EAAB", rf"EAA[MCGB][A-Za-z0-9]{{100,300}}{_END}", is_mixed),
    ("figma_token", "figd_ figo_", rf"fig[do]_[A-Za-z0-9_\-]{{40,48}}{_END_DASH}", is_mixed),
    ("flutterwave_key", "FLWSECK", rf"FLWSECK(?:_TEST)?-[a-h0-9]{{12,32}}(?:-X)?{_END_DASH}", is_varied),
    ("flyio_token", "fo1_", rf"fo1_[A-Za-z0-9_\-]{{43}}{_END_DASH}", is_mixed),
    ("flyio_token", "fm1a_ fm1r_ fm2_", r"fm(?:1[ar]|2)_[A-Za-z0-9+/]{100,2000}={0,3}", is_mixed),
    ("frameio_token", "fio-u-", rf"fio-u-[A-Za-z0-9\-_=]{{64}}{_END_DASH}", is_mixed),
    ("github_token", "ghp_ gho_ ghu_ ghs_ ghr_", rf"gh[pousr]_[A-Za-z0-9]{{36}}{_END}", _has_checksum),
    ("github_token", "github_pat_", rf"github_pat_[A-Za-z0-9]{{22}}_[A-Za-z0-9]{{59}}{_END}", is_mixed),
    ("gitlab_token", "glpat- gldt- glft- glrt- glsoat- glffct- glimt- glptt- glagent- gloas-",
     rf"gl(?:pat|dt|ft|rt|soat|ffct|imt|ptt|agent|oas)-[A-Za-z0-9_\-]{{20,300}}(?:\.[0-9a-z]{{2}}\.?"
     rf"[0-9a-z]{{7}})?{_END_DASH}", is_mixed),
    ("gitlab_token", "glcbt-", rf"glcbt-[0-9a-zA-Z]{{1,5}}_[0-9a-zA-Z_\-]{{20}}{_END_DASH}", is_mixed),
    ("gitlab_token", "GR1348941", rf"GR1348941[A-Za-z0-9_\-]{{20}}{_END_DASH}", is_mixed),
    ("google_api_key", "AIza", rf"AIza[A-Za-z0-9_\-]{{35}}{_END_DASH}", is_mixed),
    ("google_oauth_secret", "GOCSPX-", rf"GOCSPX-[A-Za-z0-9_\-]{{28}}{_END_DASH}", is_varied),
    ("google_oauth_token", "ya29.", r"ya29\.[A-Za-z0-9_\-]{60,1000}", is_mixed),
    ("grafana_token", "glsa_", rf"glsa_[A-Za-z0-9]{{32}}_[A-Fa-f0-9]{{8}}{_END}", is_mixed),
    ("grafana_token", "glc_", r"glc_[A-Za-z0-9+/]{32,400}={0,3}", is_mixed),
    ("groq_key", "gsk_", rf"gsk_[A-Za-z0-9]{{52}}{_END}", is_mixed),
    ("heroku_key", "HRKU-AA", rf"HRKU-AA[0-9a-zA-Z_\-]{{58}}{_END_DASH}", is_mixed),
    ("hugging_face_token", "hf_ api_org_", rf"(?:hf|api_org)_[A-Za-z0-9]{{34}}{_END}", is_varied),
    ("infracost_key", "ico-", rf"ico-[A-Za-z0-9]{{32}}{_END}", is_mixed),
    ("json_web_token", "eyJ",
     rf"eyJ[A-Za-z0-9_\-]{{10,1000}}\.eyJ[A-Za-z0-9_\-]{{8,4000}}\.[A-Za-z0-9_\-]{{16,1000}}{_END_DASH}", _is_jwt),
    ("langchain_key", "lsv2_", rf"lsv2_(?:pt|sk)_[a-f0-9]{{32}}_[a-f0-9]{{10}}{_END}", is_mixed),
    ("linear_key", "lin_api_ lin_oauth_", rf"lin_(?:api|oauth)_[A-Za-z0-9]{{40,64}}{_END}", is_mixed),
    ("mapbox_token", "sk.eyJ", r"sk\.eyJ[A-Za-z0-9_\-]{40,200}\.[A-Za-z0-9_\-]{22}", is_mixed),
    ("new_relic_key", "NRAK- NRII- NRJS- NRRA-", rf"NR(?:AK|II|JS|RA)-[A-Za-z0-9\-]{{19,42}}{_END_DASH}", is_mixed),
    ("notion_token", "ntn_", rf"ntn_[0-9]{{11}}[A-Za-z0-9]{{35}}{_END}", is_mixed),
    ("npm_token", "npm_", rf"npm_[A-Za-z0-9]{{36}}{_END}", _has_checksum),
    ("nvidia_key", "nvapi-", rf"nvapi-[A-Za-z0-9_\-]{{60,70}}{_END_DASH}", is_mixed),
    ("octopus_key", "API-", rf"API-[A-Z0-9]{{26,32}}{_END_DASH}", is_mixed),
    # The letters in the middle are "OpenAI" in base 64.
    ("openai_key", "sk-", rf"sk-[A-Za-z0-9_\-]{{16,80}}T3BlbkFJ[A-Za-z0-9_\-]{{16,80}}{_END_DASH}", is_mixed),
    ("openrouter_key", "sk-or-v1-", rf"sk-or-v1-[a-f0-9]{{64}}{_END}", is_mixed),
    ("onepassword_key", "A3-",
     rf"A3-[A-Z0-9]{{6}}-(?:[A-Z0-9]{{11}}|[A-Z0-9]{{6}}-[A-Z0-9]{{5}})-[A-Z0-9]{{5}}-[A-Z0-9]{{5}}-"
     rf"[A-Z0-9]{{5}}{_END_DASH}", is_mixed),
    ("onepassword_token", "ops_eyJ", r"ops_eyJ[A-Za-z0-9+/_\-]{250,2000}={0,3}", is_mixed),
    ("openshift_token", "sha256~", rf"sha256~[A-Za-z0-9_\-]{{43}}{_END_DASH}", is_mixed),
    ("perplexity_key", "pplx-", rf"pplx-[A-Za-z0-9]{{48}}{_END}", is_mixed),
    ("planetscale_token", "pscale_", rf"pscale_(?:tkn|oauth|pw)_[A-Za-z0-9_=.\-]{{32,64}}{_END_DASH}", is_mixed),
    ("postman_key", "PMAK-", rf"PMAK-[a-f0-9]{{24}}-[a-f0-9]{{34}}{_END}", is_mixed),
    ("prefect_key", "pnu_ pnb_", rf"pn[ub]_[A-Za-z0-9]{{36}}{_END}", is_mixed),
    ("pulumi_token", "pul-", rf"pul-[a-f0-9]{{40}}{_END}", is_mixed),
    # The fixed part is the header of a macaroon for pypi.org or test.pypi.org.
    ("pypi_token", "pypi-AgE", r"pypi-AgE[A-Za-z0-9_\-]{60,1000}", is_mixed),
    ("readme_key", "rdme_", rf"rdme_[a-z0-9]{{70}}{_END}", is_mixed),
    ("replicate_token", "r8_", rf"r8_[A-Za-z0-9]{{37}}{_END}", is_mixed),
    ("rubygems_key", "rubygems_", rf"rubygems_[a-f0-9]{{48}}{_END}", is_mixed),
    ("scalingo_token", "tk-us-", rf"tk-us-[A-Za-z0-9_\-]{{48}}{_END_DASH}", is_mixed),
    ("sendgrid_key", "SG.", rf"SG\.[A-Za-z0-9_\-]{{22}}\.[A-Za-z0-9_\-]{{43}}{_END_DASH}", is_mixed),
    ("sendinblue_key", "xkeysib-", rf"xkeysib-[a-f0-9]{{64}}-[A-Za-z0-9]{{16}}{_END}", is_mixed),
    ("sentry_token", "sntryu_", rf"sntryu_[a-f0-9]{{64}}{_END}", is_mixed),
    ("sentry_token", "sntrys_eyJ", r"sntrys_eyJ[A-Za-z0-9+/=]{40,500}_[A-Za-z0-9+/]{43}", is_mixed),
    ("shippo_token", "shippo_", rf"shippo_(?:live|test)_[a-fA-F0-9]{{40}}{_END}", is_mixed),
    ("shopify_token", "shpat_ shpca_ shppa_ shpss_", rf"shp(?:at|ca|pa|ss)_[a-fA-F0-9]{{32}}{_END}", is_mixed),
    ("slack_token", "xoxa- xoxb- xoxe- xoxo- xoxp- xoxr- xoxs-",
     rf"xox[abeoprs]-(?:[0-9]{{1,14}}-){{1,4}}[A-Za-z0-9]{{16,170}}{_END}", is_mixed),
    ("slack_token", "xapp-", rf"xapp-[0-9]-[A-Z0-9]{{8,14}}-[0-9]{{8,14}}-[a-z0-9]{{32,80}}{_END}", is_mixed),
    ("sonar_token", "squ_ sqp_ sqa_", rf"sq[upa]_[a-f0-9]{{40}}{_END}", is_mixed),
    ("sourcegraph_token", "sgp_", rf"sgp_(?:(?:[a-fA-F0-9]{{16}}|local)_)?[a-fA-F0-9]{{40}}{_END}", is_mixed),
    ("square_token", "sq0atp- sq0csp- EAAA", rf"(?:sq0atp-|sq0csp-|EAAA)[A-Za-z0-9_\-]{{22,60}}{_END_DASH}", is_mixed),
    ("stripe_key", "sk_live_ sk_test_ sk_prod_ rk_live_ rk_test_ rk_prod_",
     rf"[rs]k_(?:live|test|prod)_[A-Za-z0-9]{{20,247}}{_END}", is_mixed),
    ("stripe_webhook_secret", "whsec_", rf"whsec_[A-Za-z0-9+/]{{32,64}}={{0,2}}{_END}", is_mixed),
    ("supabase_token", "sbp_", rf"sbp_[a-f0-9]{{40}}{_END}", is_mixed),
    ("tailscale_key", "tskey-", rf"tskey-[a-z]{{3,10}}-[A-Za-z0-9]{{6,20}}-[A-Za-z0-9]{{20,40}}{_END}", is_mixed),
    ("typeform_token", "tfp_", rf"tfp_[A-Za-z0-9\-_.=]{{59}}{_END_DASH}", is_mixed),
    ("vault_token", "hvs. hvb. hvr.", r"hv[sbr]\.[A-Za-z0-9_\-]{24,300}", is_mixed),
    ("xai_key", "xai-", rf"xai-[A-Za-z0-9]{{80}}{_END}", is_mixed),
    ("yandex_key", "AQVN", rf"AQVN[A-Za-z0-9_\-]{{35,38}}{_END_DASH}", is_mixed),
    ("private_key", "LS0tLS1CRUdJTi", r"LS0tLS1CRUdJTi[A-Za-z0-9+/]{130,20000}={0,2}", _holds_private_key),
)  # fmt: skip
_INSIDE_WORDS: tuple[_Row, ...] = (
    ("azure_client_secret", "0Q~ 1Q~ 2Q~ 3Q~ 4Q~ 5Q~ 6Q~ 7Q~ 8Q~ 9Q~", r"[0-9]Q~[A-Za-z0-9_~.\-]{31,34}", is_mixed),
    ("azure_storage_key", "AccountKey=", r"AccountKey=(?P<secret>[A-Za-z0-9+/]{86}==)", is_mixed),
    ("azure_shared_access_key", "SharedAccessKey=", r"SharedAccessKey=(?P<secret>[A-Za-z0-9+/]{43}=)", is_mixed),
    ("azure_sas_signature", "sig=", r"sig=(?P<secret>(?:[A-Za-z0-9]|%2[BbFf]){43,60}%3[Dd])", is_mixed),
    ("discord_webhook", "/api/webhooks/",
     rf"/api/webhooks/[0-9]{{17,20}}/(?P<secret>[A-Za-z0-9_\-]{{60,72}}){_END_DASH}", is_mixed),
    ("slack_webhook", "hooks.slack.com/",
     r"hooks\.slack\.com/(?:services|workflows|triggers)/(?P<secret>T[A-Z0-9]{8,12}/[AB][A-Z0-9]{8,12}/"
     r"[A-Za-z0-9/]{20,40})(?![A-Za-z0-9])", is_mixed),
    ("teams_webhook", ".webhook.office.com/webhookb2/",
     r"\.webhook\.office\.com/webhookb2/(?P<secret>[a-z0-9\-]{36}@[a-z0-9\-]{36}/IncomingWebhook/"
     r"[a-z0-9]{32}/[a-z0-9\-]{36})", is_mixed),
    ("terraform_token", ".atlasv1.", r"\.atlasv1\.[A-Za-z0-9\-_=]{60,70}", is_mixed),
    ("telegram_token", ":AA", rf":AA[A-Za-z0-9_\-]{{33}}{_END_DASH}", is_mixed),
    ("maxmind_key", "_mmk", rf"_mmk{_END}", lambda _: True),
)  # fmt: skip
KINDS: tuple[SecretKind, ...] = tuple(
    SecretKind(name, tuple(anchors.encode().split()), re.compile(pattern.encode()), is_real, rows is _INSIDE_WORDS)
    for rows in (_WORD_STARTS, _INSIDE_WORDS)
    for name, anchors, pattern, is_real in rows
)
BEGINS_BEFORE: dict[str, re.Pattern[bytes]] = {
    # What stands before the anchor and belongs to the secret: the bot's number, the first part of the token.
    "telegram_token": re.compile(rb"(?<![0-9])[0-9]{8,10}\Z"),
    "azure_client_secret": re.compile(rb"(?<![A-Za-z0-9_~.])[A-Za-z0-9_~.]{3}\Z"),
    "terraform_token": re.compile(rb"(?<![A-Za-z0-9])[A-Za-z0-9]{14}\Z"),
    "maxmind_key": re.compile(rb"(?<![A-Za-z0-9_])[A-Za-z0-9]{6}_[A-Za-z0-9]{29}\Z"),
}
"""For kinds whose anchor is not their first part: the part before it, matched in the MAX_BEFORE bytes before."""
MAX_BEFORE = 48

"""Secrets are found in every form of assignment, with quotes or without, and random values of other names are not."""

import string
from collections.abc import Callable

import pyarrow as pa
import pytest

from stackfim.transforms.filters.secrets import find_secrets
from tests.transforms.filters.test_secrets import ALPHANUMERIC, HEX, URL_SAFE, Maker

MADE: dict[str, Callable[[Maker], str]] = {
    "AWS_SECRET_ACCESS_KEY": lambda make: make.mixed(40, ALPHANUMERIC + "/+"),
    "AWS_ACCESS_KEY_ID": lambda make: "AK" + "IA" + make.draw(string.ascii_uppercase + "234567", 16),
    "GITHUB_TOKEN": Maker.github_token,
    "GITLAB_TOKEN": lambda make: "gl" + "pat-" + make.mixed(20, URL_SAFE),
    "GITLAB_DEPLOY_TOKEN": lambda make: "gl" + "dt-" + make.mixed(20, URL_SAFE),
    "SLACK_BOT_TOKEN": Maker.slack_token,
    "GOOGLE_API_KEY": lambda make: "AI" + "za" + make.mixed(35, URL_SAFE),
    "STRIPE_KEY": lambda make: "sk_" + "live_" + make.mixed(24),
    "NPM_TOKEN": lambda make: make.with_checksum("npm" + "_"),
    "HF_TOKEN": lambda make: "h" + "f_" + make.draw(ALPHANUMERIC, 34),
    "OPENAI_API_KEY": lambda make: (
        "s" + "k-proj-" + make.mixed(74, URL_SAFE) + "T3Blbk" + "FJ" + make.mixed(74, URL_SAFE)
    ),
    "ANTHROPIC_API_KEY": lambda make: "sk-" + "ant-api03-" + make.mixed(93, URL_SAFE) + "AA",
    "SENDGRID_API_KEY": lambda make: "S" + "G." + make.mixed(22, URL_SAFE) + "." + make.mixed(43, URL_SAFE),
    "DIGITALOCEAN_TOKEN": lambda make: "dop" + "_v1_" + make.draw(HEX, 64),
    "SHOPIFY_TOKEN": lambda make: "shp" + "at_" + make.draw(HEX, 32),
    "TELEGRAM_TOKEN": lambda make: make.draw("123456789", 9) + ":A" + "A" + make.mixed(33, URL_SAFE),
    "AUTH_TOKEN": Maker.jwt,
    "DATADOG_API_KEY": lambda make: make.draw(HEX, 32),
    "HEROKU_API_KEY": lambda make: "-".join(make.draw(HEX, size) for size in (8, 4, 4, 4, 12)),
    "TWILIO_AUTH_TOKEN": lambda make: make.draw(HEX, 32),
    "MAILGUN_API_KEY": lambda make: "key-" + make.draw(HEX, 32),
    "MAILCHIMP_API_KEY": lambda make: make.draw(HEX, 32) + "-us12",
    "CLOUDFLARE_API_TOKEN": lambda make: make.mixed(40, URL_SAFE),
    "AZURE_STORAGE_KEY": lambda make: make.mixed(86, ALPHANUMERIC + "+/") + "==",
    "DB_PASSWORD": lambda make: make.mixed(14),
    "CLIENT_SECRET": lambda make: make.mixed(32),
    "API_KEY": lambda make: make.mixed(24),
    "SECRET_KEY": lambda make: make.mixed(50, string.ascii_lowercase + string.digits + "-_+"),
    "VAULT_TOKEN": lambda make: "hvs" + "." + make.mixed(95, URL_SAFE),
    "DATABRICKS_TOKEN": lambda make: "da" + "pi" + make.draw(HEX, 32),
}
FORMS = [
    "{upper}={value}\n",
    "export {upper}={value}\n",
    "ENV {upper}={value}\n",
    "ENV {upper} {value}\n",
    "    environment:\n      - {upper}={value}\n",
    "      {lower}: {value}\n",
    "[section]\n{lower} = {value}\n",
    'curl "https://h.initech.io/a?{lower}={value}&x=1"\n',
    "cat <<EOF > .env\n{upper}={value}\nEOF\n",
    '{lower} = "{value}"\n',
    '  "{lower}": "{value}",\n',
    "set {upper}={value}\r\n",
    "tool --{option} {value} run\n",
    "<{lower}>{value}</{lower}>\n",
    '<add key="{lower}" value="{value}" />\n',
    "      {upper}: ${{{upper}:-{value}}}\n",
    "kubectl create secret generic x --from-literal={lower}={value}\n",
    '$env:{upper}="{value}"\n',
    "    env: [{{name: {upper}, value: '{value}'}}]\n",
    "docker run -e {upper}={value} \\\n",
]


def values(text: str) -> list[str]:
    content = text.encode()
    return [
        content[found.start : found.end].decode().rstrip("=")
        for found in find_secrets(pa.array([content], pa.binary()))
    ]


@pytest.mark.parametrize("seed", [11, 12])
def test_six_hundred_secrets_of_thirty_kinds_in_twenty_forms_of_assignment_are_found(seed: int) -> None:
    maker = Maker(seed)
    missed = []
    for name, make in MADE.items():
        for form in FORMS:
            value = make(maker)
            lower = name.lower()
            text = form.format(upper=name, lower=lower, option=lower.replace("_", "-"), value=value)
            if value.rstrip("=") not in values(f"x = 1\n{text}y = 2\n"):
                missed.append(text)
    assert len(missed) <= 0.01 * len(MADE) * len(FORMS), missed


@pytest.mark.parametrize(
    "text",
    [
        "token = some_function_of_32_bit_words(x)",
        "byte[] data, SafePasswordHandle password, X509KeyStorageFlags flags)",
        "get_password(PK11SlotInfo *slot, PRBool retry)",
        "PublicKeyToken=b77a5c561934e089",
        "KEY := ecma.pub  # Public Key Token: b77a5c561934e089",
        'public_key = "9f86d081884c7d659a2feaa0c55ad015"',
        'sha256 = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"',
        'secret_hash: "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"',
        'integrity="sha384-oqVuAfXRKap7fdgcCY5uykM6R9GqQ8Kuxy9rx7HNQlGYl1kPzQho1wx4JwY8w"',
        'commit = "9f86d081884c7d659a2feaa0c55ad01512345678"',
        'api_key = "your-api-key-0123456789"',
        'API_KEY = "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxx12"',
        'secret = "correct-horse-battery-staple-42"',
        'SECRET_KEY = os.environ["SECRET_KEY_OF_APP_2"]',
        "AWS_SECRET_ACCESS_KEY=${AWS_SECRET_ACCESS_KEY}",
        "aws_secret_access_key = wJalrXUtnFEMI/K7MDENG/bPxRfiCY" + "EXAMPLEKEY",
        "PASSWORD = '123_or_no_pwd'",
        "password: 's00pers3cret'",
        "password = request.form2['password1']",
        "PWDHASH='lac2ItudM3.KM'",
        "get_type(nopwd_pfx), '2-Pkcs12'",
        "PATH=`pwd`/svn-repo-2499/project12",
        "tokenizer = 'bert-base-uncased-2019-v10'",
        "license_key_path = '/etc/app1/license2/key3.pem'",
    ],
)
def test_other_values_and_placeholders_are_left_alone(text: str) -> None:
    assert values(text) == []


def test_an_aws_secret_is_found_after_an_equals_sign_and_escaped() -> None:
    secret = "tHmPvd00jnqO850AzOQQ2l" + "/ZkAFezmkyGKNGupcI"
    assert values(f"export AWS_SECRET_ACCESS_KEY={secret}\n") == [secret]
    escaped = secret.replace("/", "%2F")
    assert values(f"https://h.initech.io/?aws_secret={escaped}&x=1") == [escaped]

"""Private keys are found in all their forms, whole or cut off, and only their bodies are."""

import base64
import random
import string

import pyarrow as pa
import pytest

from stackfim.transforms.filters.redaction import apply_replacements, replacements_of
from stackfim.transforms.filters.secrets import find_secrets

BASE64 = string.ascii_letters + string.digits + "+/"
DASHES = "-" * 5
BEGIN, END = f"{DASHES}BEGIN RSA PRIVATE KEY{DASHES}", f"{DASHES}END RSA PRIVATE KEY{DASHES}"


def drawn(length: int, seed: int, alphabet: str = BASE64) -> str:
    draw = random.Random(seed)
    return "".join(draw.choice(alphabet) for _ in range(length))


BODY = [*(drawn(64, seed) for seed in range(4)), drawn(22, 9) + "=="]
URL_SAFE = string.ascii_letters + string.digits + "-_"
NUMBER, OTHER = drawn(43, 20, URL_SAFE), drawn(43, 21, URL_SAFE)


def redacted(text: str) -> str:
    content = text.encode()
    return apply_replacements(
        content, replacements_of(content, find_secrets(pa.array([content], pa.binary())))
    ).decode()


def without(text: str, values: list[str]) -> str:
    for number, value in enumerate(values):
        text = text.replace(value, f"REDACTED_PRIVATE_KEY_{number + 1}")
    return text


FORMS = {
    "lines": f"{BEGIN}\n" + "\n".join(BODY) + f"\n{END}\n",
    "windows lines": f"{BEGIN}\r\n" + "\r\n".join(BODY) + f"\r\n{END}\r\n",
    "escapes": f'KEY = "{BEGIN}\\n' + "\\n".join(BODY) + f'\\n{END}\\n"',
    "escapes in JSON in a string": f'"{BEGIN}\\\\n' + "\\\\n".join(BODY) + f'\\\\n{END}"',
    "escapes of an address": f"key={BEGIN}%0A" + "%0A".join(BODY) + f"%0A{END}",
    "one line with blanks": f"KEY={BEGIN} " + " ".join(BODY) + f" {END}\nNEXT=1\n",
    "comments": f"// {BEGIN}\n" + "".join(f"// {line}\n" for line in BODY) + f"// {END}\nint x;",
    "strings": f'  "{BEGIN}" +\n' + " +\n".join(f'  "{line}"' for line in BODY) + ";\nint x;",
    "a list": f'["{BEGIN}", ' + ", ".join(f'"{line}"' for line in BODY) + f', "{END}"]',
    "YAML": f"key: |\n    {BEGIN}\n" + "".join(f"    {line}\n" for line in BODY) + f"    {END}\nname: x\n",
    "encrypted": f"{BEGIN}\nProc-Type: 4,ENCRYPTED\nDEK-Info: AES-128-CBC,{'A1B2C3D4' * 4}\n\n" + "\n".join(BODY) + f"\n{END}",
    "PGP": f"{DASHES}BEGIN PGP PRIVATE KEY BLOCK{DASHES}\nVersion: x v2\n\n" + "\n".join(BODY),
    "SSH2": '---- BEGIN SSH2 ENCRYPTED PRIVATE KEY ----\nComment: "2048-bit rsa"\n' + "\n".join(BODY) + "\n---- END SSH2",
    "PuTTY": f"PuTTY-User-Key-File-3: ssh-rsa\nPublic-Lines: 1\n{drawn(64, 77)}\nPrivate-Lines: 5\n"
    + "\n".join(BODY)
    + f"\nPrivate-MAC: {'ab12' * 10}\n",
}  # fmt: skip


@pytest.mark.parametrize("form", FORMS)
def test_the_lines_of_a_key_are_replaced_and_nothing_else(form: str) -> None:
    assert redacted(FORMS[form]) == without(FORMS[form], BODY)


@pytest.mark.parametrize("kept", range(70, 292, 13))
@pytest.mark.parametrize("after", ["", '"\nprint(KEY)\nimport os\n', "\n\nname: value\n", "...\n"])
def test_a_key_that_is_cut_off_is_replaced_up_to_the_code_after_it(kept: int, after: str) -> None:
    body = "\n".join(BODY)[:kept]
    done = redacted(f'KEY = "{BEGIN}\n{body}{after}')
    lines = done.split("\n")
    assert lines[0] == f'KEY = "{BEGIN}'
    assert done.endswith(after)
    # The rest of a line that was cut off is found where it can be told from a word.
    assert all(line.startswith("REDACTED_") or len(line) < 24 for line in lines[1 : body.count("\n") + 2])


def test_a_key_on_one_line_without_blanks_is_one_value() -> None:
    body = "".join(BODY)
    assert redacted(f"'{BEGIN}{body}{END}'") == f"'{BEGIN}REDACTED_PRIVATE_KEY_1{END}'"


def test_the_private_numbers_of_a_key_in_xml_are_replaced() -> None:
    modulus, private = drawn(86, 1) + "==", [drawn(43, seed) + "=" for seed in (2, 3, 4)]
    key = "<RSAKeyValue><Modulus>{}</Modulus><Exponent>AQAB</Exponent><P>{}</P><Q>{}</Q><D>{}</D></RSAKeyValue>"
    text = key.format(modulus, *private)
    assert redacted(text) == without(text, private)
    escaped = text.replace("<", "&lt;").replace(">", "&gt;")
    assert redacted(escaped) == without(escaped, private)
    public = f"<RSAKeyValue><Modulus>{modulus}</Modulus><Exponent>AQAB</Exponent></RSAKeyValue>"
    assert redacted(public) == public


@pytest.mark.parametrize(
    "text",
    [
        f'{{"kty":"EC","crv":"P-256","d":"{NUMBER}","x":"{OTHER}"}}',
        f'{{"d": "{NUMBER}", "x": "{OTHER}",\n "kty": "OKP"}}',
        f"{{ kty: 'oct', k: '{NUMBER}' }}",
        f'"{{\\"kty\\":\\"oct\\",\\"k\\":\\"{NUMBER}\\"}}"',
    ],
)
def test_the_private_numbers_of_a_json_web_key_are_replaced(text: str) -> None:
    assert redacted(text) == without(text, [NUMBER])


def test_a_public_json_web_key_is_left_alone() -> None:
    text = f'{{"kty":"EC","crv":"P-256","x":"{NUMBER}","y":"{OTHER}","kid":"{OTHER}"}}'
    assert redacted(text) == text


def test_a_key_in_base_64_is_found_and_a_certificate_is_not() -> None:
    key = base64.b64encode(FORMS["lines"].encode()).decode()
    certificate = base64.b64encode(FORMS["lines"].replace("RSA PRIVATE KEY", "CERTIFICATE").encode()).decode()
    assert redacted(f"client-key-data: {key}") == "client-key-data: REDACTED_PRIVATE_KEY_1"
    assert redacted(f"client-certificate-data: {certificate}") == f"client-certificate-data: {certificate}"


def test_words_that_stand_in_a_random_body_by_chance_hide_nothing() -> None:
    for word in ("fAkE", "xxxx", "ExAmPlE", "Insert", "sample", "foobar", "00000000", "AAAAAAAA"):
        body = [BODY[0][:20] + word + BODY[0][20 + len(word) :], *BODY[1:]]
        text = f"{BEGIN}\n" + "\n".join(body) + f"\n{END}"
        assert redacted(text) == without(text, body)


@pytest.mark.parametrize(
    "text",
    [
        f"{BEGIN}\n...\n{END}",
        f"{BEGIN}\n${{KEY}}\n{END}",
        f"{BEGIN}\n" + "YOUR-PRIVATE-KEY-HERE\n" * 6 + END,
        f"{BEGIN}\n" + "x" * 64 + f"\n{END}",
        f'if "{BEGIN}" in text: return some_long_function_name_of_more_than_thirty_characters',
        f'header = "{BEGIN}"\nfooter = "{END}"\n',
    ],
)
def test_templates_and_headers_alone_are_no_keys(text: str) -> None:
    assert redacted(text) == text

"""The language of comments: files with comments that are clearly in another one go, all others stay."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import pyarrow as pa
import pytest

from stackfim.schemas.source import ROW
from stackfim.transforms.filters.chain import filter_rows
from stackfim.transforms.filters.filter_settings import FilterPlan, FilterSettings

pytest.importorskip("py3langid", reason="the extra comments-language is not installed")

from stackfim.transforms.filters.comment_language import comment_languages, decide_comment_languages
from stackfim.transforms.filters.quality_limits import limits_of

if TYPE_CHECKING:
    from tests.fixture_types import SourceFile

TEXTS = {
    "en": "This module handles the requests of users and checks what they may do. First we check that the user exists, "
    "then the hash of the password is compared. Beware that concurrent access is not looked at here, which has to be "
    "improved later on. The function gives a list of all elements that were found, sorted by date.",
    "de": "Dieses Modul verarbeitet die Anfragen der Benutzer und prüft ihre Rechte. Zuerst wird geprüft, ob der Benutzer "
    "existiert, danach wird das Kennwort verglichen. Achtung: gleichzeitige Zugriffe werden hier nicht berücksichtigt, das "
    "muss später verbessert werden. Die Funktion gibt eine Liste aller gefundenen Elemente zurück.",
    "es": "Este módulo se encarga de procesar las peticiones de los usuarios y comprobar sus permisos. Primero comprobamos "
    "si el usuario existe y luego comparamos la contraseña. Atención: aquí no se tiene en cuenta el acceso concurrente, hay "
    "que mejorarlo más adelante. La función devuelve una lista de todos los elementos encontrados.",
    "pt": "Este módulo é responsável por processar os pedidos dos usuários e verificar as suas permissões. Primeiro "
    "verificamos se o usuário existe e depois comparamos a senha. Atenção: aqui não se considera o acesso concorrente, isso "
    "precisa ser melhorado mais tarde. A função devolve uma lista de todos os elementos encontrados.",
    "ru": "Этот модуль отвечает за обработку запросов пользователя и проверку прав доступа. Сначала мы проверяем, существует "
    "ли пользователь, затем сравниваем хэш пароля. Внимание: здесь не учитывается параллельный доступ, это нужно исправить "
    "в будущем. Функция возвращает список всех найденных элементов, отсортированных по дате.",
    "zh": "这个模块用于处理用户的登录请求并且验证他们的身份信息，如果验证失败则返回错误。 我们首先检查用户名是否存在，然后比较密码的散列值。 "
    "注意这里没有处理并发的情况，需要在以后的版本中改进。 这个函数返回一个列表。",
    "ja": "このモジュールは利用者の要求を処理し、その権限を確認します。 まず利用者が存在することを確認し、次にパスワードのハッシュを比較します。 "
    "ここでは同時アクセスを考慮していないため、後で改善する必要があります。",
}

CODE = b"def total(values):\n    result = 0\n    for value in values:\n        result += value\n    return result\n"


def python(text: str) -> bytes:
    return "".join(f"# {line.strip()}.\n" for line in text.split(". ")).encode() + CODE


def c(text: str) -> bytes:
    return ("/*\n" + "".join(f" * {line.strip()}.\n" for line in text.split(". ")) + " */\nint f(int x);\n").encode()


def share(content: bytes, language: str, wanted: str) -> float:
    return float(
        comment_languages(pa.array([b"# x", content], pa.binary()), ["Python", language], wanted).other_share[1]
    )


@pytest.mark.parametrize("language", TEXTS)
@pytest.mark.parametrize("wanted", ["en", "de", "ru", "zh"])
def test_comments_are_told_apart_by_their_language(language: str, wanted: str) -> None:
    for content, code in ((python(TEXTS[language]), "Python"), (c(TEXTS[language]), "C")):
        assert share(content, code, wanted) == (0.0 if language == wanted else 1.0)


def test_the_share_is_that_of_the_letters_in_passages() -> None:
    both = python(TEXTS["en"]) * 3 + python(TEXTS["es"])
    assert 0.1 < share(both, "Python", "en") < 0.4
    assert 0.6 < share(both, "Python", "es") < 0.9


@pytest.mark.parametrize(
    "content",
    [
        b"# corta\nx = 1\n",
        b"x = 1\n",
        "x = '" + TEXTS["es"] + "'\n",
        "# https://example.com/una/direccion/muy/larga/de/una/pagina/web/que/no/dice/nada\n" * 9,
        "# for (int i = 0; i < n; i++) { suma = suma + valores[i]; }\n" * 9,
        "# MAX_VALOR MIN_VALOR TABLA_DE_VALORES SUMA_TOTAL\n" * 9,
    ],
)
def test_little_text_code_names_and_addresses_are_not_judged(content: bytes | str) -> None:
    assert share(content.encode() if isinstance(content, str) else content, "Python", "en") <= 0.0


def test_files_in_languages_without_known_comments_are_not_judged() -> None:
    assert share(python(TEXTS["es"]), "Fortran", "en") == -1.0


def test_the_filter_runs_only_where_a_language_is_wanted(rows_of: Callable[..., pa.RecordBatch]) -> None:
    rows = rows_of([("Python", python(text)) for text in TEXTS.values()])
    licenses = ROW.get_field_index("licenses")
    rows = rows.set_column(licenses, ROW.field(licenses), pa.array([["MIT"]] * len(TEXTS), ROW.field(licenses).type))
    assert filter_rows(rows, FilterPlan())[0].num_rows == len(TEXTS)
    kept, rejected = filter_rows(rows, FilterPlan(comments_language="en"))
    assert kept.column("path").to_pylist() == ["0"]
    assert {(row["stage"], row["reason"]) for row in rejected.to_pylist()} == {
        ("comments_language", "comments_in_other_language")
    }
    assert "not in en" in rejected.column("detail")[0].as_py()
    settings = FilterSettings(limits={"*": {"max_other_language_share": 1.0}})
    relaxed = FilterPlan(settings, comments_language="en")
    assert filter_rows(rows, relaxed)[0].num_rows == len(TEXTS)


def test_real_files_are_in_english(sources: tuple[SourceFile, ...], installed: tuple[SourceFile, ...]) -> None:
    files = [*sources, *installed]
    contents, languages = pa.array([file.content for file in files], pa.binary()), [file.language for file in files]
    scores = comment_languages(contents, languages, "en")
    assert decide_comment_languages(scores, "en", [limits_of(language) for language in languages]) == {}
    assert int((scores.letters > 0).sum()) > 10

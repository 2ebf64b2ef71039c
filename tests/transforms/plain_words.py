"""The words of a text by slow code that reads like their definition."""

from stackfim.transforms.dedup.scripts import Kind, script_kind


def plain_words(document: bytes) -> list[bytes]:
    """The words in order, those of more than 256 bytes in parts."""
    words: list[bytes] = []
    run = ""
    for character in document.decode("utf-8", "surrogateescape") + " ":
        kind = script_kind(character)
        separates = not (character.isalnum() or character == "_") if character.isascii() else kind is Kind.SEPARATOR
        if kind is Kind.WORD or separates:
            data = run.encode("utf-8", "surrogateescape")
            words += [data[start : start + 256] for start in range(0, len(data), 256)]
            words += [character.encode()] if kind is Kind.WORD else []
            run = ""
        else:
            run += character
    return words

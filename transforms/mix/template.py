"""Conversations as prompt and completion: in Refact's chat format, or by the chat template of a tokenizer."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from stackfim.transforms.render.families import family_named
from stackfim.transforms.render.template import QUERY, RESPONSE, SYSTEM, fill, segments

Template = Callable[[str, str], tuple[str, str]]
"""Query and response to prompt and completion."""


def refact_chat(query: str, response: str) -> tuple[str, str]:
    """Prompt and completion in the chat format of the family `refact`."""
    chat = family_named("refact").chat
    assert chat is not None
    prompt = fill(segments(chat.prompt), {SYSTEM: chat.system, QUERY: query})
    return prompt, fill(segments(chat.completion), {RESPONSE: response})


def tokenizer_chat(tokenizer_config: str) -> Template:
    """The chat template in the text of a `tokenizer_config.json`.

    Raises ValueError for a text without a template, and for a template that does not put the answer after the prompt.
    """
    from jinja2.sandbox import ImmutableSandboxedEnvironment

    values = json.loads(tokenizer_config)
    text = values.get("chat_template")
    if isinstance(text, list):  # several by name
        text = next((found["template"] for found in text if found.get("name") == "default"), None)
    if not isinstance(text, str):
        raise ValueError("tokenizer_config.json has no chat_template")
    environment = ImmutableSandboxedEnvironment(trim_blocks=True, lstrip_blocks=True)
    environment.globals["raise_exception"] = _refuse
    template = environment.from_string(text)
    tokens = {name: _token(values.get(name)) for name in ("bos_token", "eos_token", "pad_token", "unk_token")}

    def render(query: str, response: str) -> tuple[str, str]:
        user = {"role": "user", "content": query}
        prompt = template.render(messages=[user], add_generation_prompt=True, **tokens)
        answered = [user, {"role": "assistant", "content": response}]
        whole = template.render(messages=answered, add_generation_prompt=False, **tokens)
        if not whole.startswith(prompt) or response.strip() not in whole[len(prompt) :]:
            raise ValueError("the chat_template does not put an answer after its generation prompt")
        return prompt, whole[len(prompt) :]

    render("What is it?", "An answer.")
    return render


def _refuse(message: str) -> None:
    raise ValueError(f"the chat_template refuses: {message}")


def _token(value: Any) -> str:
    """The text of a special token, which is given as a string or as an object that holds one."""
    return str(value["content"] if isinstance(value, dict) else value or "")

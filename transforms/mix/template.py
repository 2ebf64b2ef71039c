"""Conversations as prompt and completion: in a family's own chat format, or by the chat template of a tokenizer.

The prompt holds no begin token where the tokenizer puts one before every text itself, as in all other prompts.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Sequence
from typing import Any

from stackfim.schemas.mixed import ASSISTANT, SYSTEM, USER
from stackfim.transforms.mix.turns import Turn
from stackfim.transforms.render import template as parts
from stackfim.transforms.render.families import ChatFormat
from stackfim.transforms.render.template import fill, segments

Template = Callable[[Sequence[Turn], str, str], tuple[str, str]]
"""Earlier turns, query and response to prompt and completion. Raises TemplateRefuses."""


class TemplateRefuses(ValueError):
    """A conversation that a template cannot express."""


def family_chat(chat: ChatFormat) -> Template:
    """A family's own chat format."""

    def render(before: Sequence[Turn], query: str, response: str) -> tuple[str, str]:
        system = "\n\n".join(turn.content for turn in before if turn.role == SYSTEM) or chat.system
        prompt = fill(segments(chat.opening), {parts.SYSTEM: system})
        for turn in before:
            if turn.role == USER:
                prompt += fill(segments(chat.question), {parts.QUERY: turn.content})
            elif turn.role == ASSISTANT:
                prompt += fill(segments(chat.earlier), {parts.RESPONSE: turn.content})
        prompt += fill(segments(chat.question), {parts.QUERY: query})
        return prompt, fill(segments(chat.completion), {parts.RESPONSE: response})

    return render


def tokenizer_chat(tokenizer_config: str, begin: Collection[str] = ()) -> Template:
    """The chat template in the text of a `tokenizer_config.json`; `begin` are the tokens that a tokenizer puts first.

    Raises ValueError for a text without a template, and for a template that does not put the answer after the prompt.
    """
    from jinja2 import TemplateError
    from jinja2.sandbox import ImmutableSandboxedEnvironment

    values = json.loads(tokenizer_config)
    text = values.get("chat_template")
    if isinstance(text, list):  # several by name
        text = next((found["template"] for found in text if found.get("name") == "default"), None)
    if not isinstance(text, str):
        raise ValueError("tokenizer_config.json has no chat_template")
    environment = ImmutableSandboxedEnvironment(trim_blocks=True, lstrip_blocks=True)
    environment.globals["raise_exception"] = _refuse
    tokens = {name: _token(values.get(name)) for name in ("bos_token", "eos_token", "pad_token", "unk_token")}
    try:
        template = environment.from_string(text)
    except TemplateError as error:
        raise ValueError(f"the chat_template cannot be read: {error}") from error

    def fill_in(messages: list[dict[str, str]], prompt_only: bool) -> str:
        try:
            filled = template.render(messages=messages, add_generation_prompt=prompt_only, **tokens)
        except (TemplateError, TypeError, KeyError) as error:
            raise TemplateRefuses(f"the chat_template fails: {error}") from error
        for token in begin:
            filled = filled.removeprefix(token)
        return filled

    def render(before: Sequence[Turn], query: str, response: str) -> tuple[str, str]:
        asked = [*({"role": turn.role, "content": turn.content} for turn in before), {"role": USER, "content": query}]
        prompt = fill_in(asked, prompt_only=True)
        whole = fill_in([*asked, {"role": ASSISTANT, "content": response}], prompt_only=False)
        if not whole.startswith(prompt) or response.strip() not in whole[len(prompt) :]:
            raise TemplateRefuses("the chat_template does not put an answer after its generation prompt")
        return prompt, whole[len(prompt) :]

    render((), "What is it?", "An answer.")
    return render


def _refuse(message: str) -> None:
    raise TemplateRefuses(f"the chat_template refuses: {message}")


def _token(value: Any) -> str:
    """The text of a special token, which is given as a string or as an object that holds one."""
    return str(value["content"] if isinstance(value, dict) else value or "")

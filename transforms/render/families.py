"""The prompt formats of the model families, as exact strings, and the source of each.

With prefix P, middle M and suffix S there are three forms of a fill-in-the-middle prompt:

    psm         P, S and M in this order, each after a sentinel
    separate    S, P and M in this order, each after a sentinel (SPM, as Refact's server sends it)
    joined      S first, then P and M side by side after the last sentinel (SPM, variant 2 of Bavarian et al. 2022,
                "Efficient Training of Language Models to Fill in the Middle", section 4.3)

A family has the forms that it was trained on, or that its authors use. A header names the file, and the repository
where the family has a place for it; its wording is that of the source named beside the family.

No prompt holds the begin token: a published tokenizer that has one puts it before every text itself, so a trainer that
reads strings would get it twice. Rows of token ids hold it, once.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

from stackfim.schemas.layout import LAYOUTS, PSM
from stackfim.transforms.render import special_tokens
from stackfim.transforms.render.template import PREFIX, sentinels

SEPARATE = "separate"
JOINED = "joined"
SPM_FORMS = (SEPARATE, JOINED)
"""The forms of the layout spm; the layout psm has one form, of the same name."""

STARCODER_SENTINELS = (
    *("<|endoftext|>", "<fim_prefix>", "<fim_middle>", "<fim_suffix>", "<fim_pad>", "<filename>", "<gh_stars>"),
    *("<issue_start>", "<issue_comment>", "<issue_closed>"),
    *("<jupyter_start>", "<jupyter_text>", "<jupyter_code>", "<jupyter_output>", "<empty_output>"),
    *("<commit_before>", "<commit_msg>", "<commit_after>", "<reponame>"),
)
"""The sentinels of StarCoder's tokenizer, in the order of their ids from 0 to 18."""


@dataclass(frozen=True)
class ChatFormat:
    """The strings of a conversation."""

    opening: str
    """What comes before the first question, with `{system}` in braces."""
    question: str
    """A question and all up to its answer, with `{query}`."""
    completion: str
    """The answer, `{response}`, and end-of-text."""
    earlier: str
    """An answer, `{response}`, that another question follows."""
    system: str
    """The system's turn, unless another one is given."""

    @property
    def prompt(self) -> str:
        """All up to the answer to the first question."""
        return self.opening + self.question


@dataclass(frozen=True)
class Family:
    """The strings of one family."""

    name: str
    forms: Mapping[str, str]
    """The prompt of each form, with the parts in braces."""
    completion: str
    """Middle and end-of-text."""
    spm_form: str = ""
    """The SPM form that the family was trained on, where it has both; empty where it has none."""
    begin: str = ""
    """The token that the family's published tokenizer puts before every text; empty where it puts none."""
    header_front: str = ""
    """The part of a header that comes before the prompt."""
    header_prefix: str = ""
    """The part of a header that comes right before the prefix: the first lines of the text that was cut in three."""
    chat: ChatFormat | None = None
    """The format of a conversation, where the family has one."""
    reserved: frozenset[str] = field(default_factory=frozenset)
    """Other strings that the family's tokenizer reads as special tokens."""

    @property
    def has_header(self) -> bool:
        """Whether a prompt can name the file's path."""
        return bool(self.header_front or self.header_prefix)

    @property
    def end_of_text(self) -> str:
        """The sentinel that ends a completion."""
        return sentinels(self.completion)[-1]

    @property
    def fim_sentinels(self) -> tuple[str, ...]:
        """The sentinels of fill-in-the-middle prompts and completions, each once: end-of-text first, then the begin token."""
        found = (sentinel for form in self.forms.values() for sentinel in sentinels(form))
        begin = (self.begin,) if self.begin else ()
        return tuple(dict.fromkeys((self.end_of_text, *begin, *found, *sentinels(self.completion))))

    @property
    def sentinels(self) -> frozenset[str]:
        """All strings that a part must not hold when it is rendered for this family."""
        chat = (self.chat.prompt, self.chat.completion) if self.chat else ()
        others = (self.header_front, self.header_prefix, *chat)
        return self.reserved.union(self.fim_sentinels, *map(sentinels, others))

    def forms_of(self, layout: str) -> tuple[str, ...]:
        """The forms of a layout that the family has. Raises ValueError for an unknown layout."""
        if layout not in LAYOUTS:
            raise ValueError(f"layout is {layout!r}, expected {' or '.join(LAYOUTS)}")
        return tuple(form for form in ((PSM,) if layout == PSM else SPM_FORMS) if form in self.forms)

    def form(self, layout: str) -> str:
        """The form of a layout that the family was trained on. Raises ValueError for a layout that it does not have."""
        if not self.forms_of(layout):
            raise ValueError(f"layout is {layout!r}, expected one that the family {self.name} has")
        return PSM if layout == PSM else self.spm_form

    def prompt(self, form: str, header: bool = False) -> str:
        """The prompt's format. Raises ValueError for a form or a header that the family does not have."""
        if form not in self.forms:
            raise ValueError(f"form is {form!r}, expected one of the family {self.name}: {', '.join(self.forms)}")
        if not header:
            return self.forms[form]
        if not self.has_header:
            raise ValueError(f"the family {self.name} has no header for path and repository")
        part = f"{{{PREFIX}}}"
        return self.header_front + self.forms[form].replace(part, self.header_prefix + part)


_ENDOFTEXT = "{middle}<|endoftext|>"

_UNDERSCORED = {
    PSM: "<fim_prefix>{prefix}<fim_suffix>{suffix}<fim_middle>",
    SEPARATE: "<fim_suffix>{suffix}<fim_prefix>{prefix}<fim_middle>",
    JOINED: "<fim_prefix><fim_suffix>{suffix}<fim_middle>{prefix}",
}
_PIPED = {PSM: "<|fim_prefix|>{prefix}<|fim_suffix|>{suffix}<|fim_middle|>"}

# Model card of Refact-1.6B, part on chat; earlier turns as in smallcloudai/refact, `scratchpads/chat_generic.rs`.
_REFACT_CHAT = ChatFormat(
    "<empty_output>SYSTEM {system}\n",
    "<empty_output>USER {query}\n<empty_output>ASSISTANT",
    " {response}<|endoftext|>",
    " {response}\n",
    "You are a programming assistant",
)

_STARCODER_RESERVED = frozenset(STARCODER_SENTINELS)


_FAMILIES = (
    # The model card's order, and the order of Refact's own server (`FIM-SPM` in its list of models).
    Family("refact", _UNDERSCORED, _ENDOFTEXT, SEPARATE, chat=_REFACT_CHAT, reserved=_STARCODER_RESERVED),
    # Forms: Li et al. 2023, "StarCoder: may the source be with you!", section on the fill-in-the-middle objective (PSM
    # and SPMv2, half each), and the FIM permutation of bigcode-project/Megatron-LM, `gpt_dataset.py`. Header: the
    # paper's format of a file; FIM was applied to a file with its header.
    Family(
        "starcoder",
        _UNDERSCORED,
        _ENDOFTEXT,
        JOINED,
        header_prefix="<reponame>{repository}<filename>{path}\n",
        reserved=_STARCODER_RESERVED,
    ),
    # Lozhkov et al. 2024, "StarCoder 2 and The Stack v2", section 5.1 on repository-context source code: the sentinel
    # comes before the path, and the repository's name is never permuted.
    Family(
        "starcoder2",
        _UNDERSCORED,
        _ENDOFTEXT,
        JOINED,
        header_front="<repo_name>{repository}<file_sep>",
        header_prefix="{path}\n",
        reserved=frozenset(special_tokens.STARCODER2),
    ),
    # Model card of stabilityai/stable-code-3b, part on fill in the middle.
    Family(
        "stable-code",
        _UNDERSCORED,
        _ENDOFTEXT,
        JOINED,
        reserved=_STARCODER_RESERVED.union(special_tokens.STABLE_CODE),
    ),
    # Model card of JetBrains/Mellum-4b-base: suffix first, and a path in front of the prompt.
    Family(
        "mellum",
        {SEPARATE: _UNDERSCORED[SEPARATE]},
        _ENDOFTEXT,
        SEPARATE,
        header_front="<filename>{path}\n",
        reserved=_STARCODER_RESERVED.union(special_tokens.MELLUM),
    ),
    # Mishra et al. 2024, "Granite Code Models" (PSM and SPM); tokenizer of ibm-granite/granite-3.x-8b-base: StarCoder's
    # sentinels with another end of text.
    Family(
        "granite-3",
        _UNDERSCORED,
        "{middle}<|end_of_text|>",
        JOINED,
        reserved=_STARCODER_RESERVED.union(special_tokens.GRANITE_3),
    ),
    # Tokenizer of ibm-granite/granite-4.0-*: sentinels with bars; prompt guide of Granite 4.0, part on FIM.
    Family("granite-4", _PIPED, "{middle}<|end_of_text|>", reserved=frozenset(special_tokens.GRANITE_4)),
    # Allal et al. 2023, "SantaCoder: don't reach for the stars!" (PSM and SPM together), card of bigcode/santacoder:
    # hyphens where StarCoder has underscores.
    Family(
        "santacoder",
        {
            PSM: "<fim-prefix>{prefix}<fim-suffix>{suffix}<fim-middle>",
            JOINED: "<fim-prefix><fim-suffix>{suffix}<fim-middle>{prefix}",
        },
        _ENDOFTEXT,
        JOINED,
        reserved=frozenset(special_tokens.SANTACODER),
    ),
    # meta-llama/codellama, `llama/generation.py`, `infilling_prompt_tokens`: the prefix has sentencepiece's blank in
    # front, the suffix and the middle have none. The sentinels hold the blank before them, which as text is written `▁`:
    # the `tokenizers` library looks for added tokens before it writes blanks so.
    Family(
        "codellama",
        {
            PSM: "▁<PRE> {prefix}▁<SUF>{suffix}▁<MID>",
            JOINED: "▁<PRE>▁<SUF>{suffix}▁<MID> {prefix}",
        },
        "{middle}▁<EOT>",
        JOINED,
        begin="<s>",
        reserved=frozenset(special_tokens.CODELLAMA),
    ),
    # README of deepseek-ai/DeepSeek-Coder, part on code insertion; Guo et al. 2024 trained on PSM.
    Family(
        "deepseek-coder",
        {PSM: "<｜fim▁begin｜>{prefix}<｜fim▁hole｜>{suffix}<｜fim▁end｜>"},
        "{middle}<｜end▁of▁sentence｜>",
        begin="<｜begin▁of▁sentence｜>",
        reserved=frozenset(special_tokens.DEEPSEEK_CODER),
    ),
    # README of QwenLM/Qwen2.5-Coder, parts on file-level and repository-level completion; Hui et al. 2024.
    Family(
        "qwen2.5-coder",
        _PIPED,
        _ENDOFTEXT,
        header_front="<|repo_name|>{repository}\n<|file_sep|>{path}\n",
        reserved=frozenset(special_tokens.QWEN),
    ),
    # "CodeGemma formatting and system instructions" (ai.google.dev/gemma/docs/codegemma): a completion ends with the
    # file separator.
    Family("codegemma", _PIPED, "{middle}<|file_separator|>", begin="<bos>", reserved=frozenset(special_tokens.GEMMA)),
    # mistralai/mistral-common, `encode_fim`: suffix first, and no sentinel between prefix and middle.
    Family(
        "codestral",
        {JOINED: "[SUFFIX]{suffix}[PREFIX]{prefix}"},
        "{middle}</s>",
        JOINED,
        begin="<s>",
        reserved=frozenset(special_tokens.CODESTRAL),
    ),
    # ByteDance Seed 2025, "Seed-Coder: Let the Code Model Curate Data for Itself", section on FIM; end token of
    # tokenizer_config.json of ByteDance-Seed/Seed-Coder-8B-Base.
    Family(
        "seed-coder",
        {SEPARATE: "<[fim-suffix]>{suffix}<[fim-prefix]>{prefix}<[fim-middle]>"},
        "{middle}<[end▁of▁sentence]>",
        SEPARATE,
        begin="<[begin▁of▁sentence]>",
        reserved=frozenset(special_tokens.SEED_CODER),
    ),
)

FAMILIES: Mapping[str, Family] = MappingProxyType({family.name: family for family in _FAMILIES})
"""All families, by name."""


def family_named(name: str) -> Family:
    """The family of that name. Raises ValueError, naming the known ones, where there is none."""
    if name not in FAMILIES:
        raise ValueError(f"family is {name!r}, expected one of {', '.join(FAMILIES)}")
    return FAMILIES[name]

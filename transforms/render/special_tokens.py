"""The special tokens of each family's published tokenizer, beside those of its prompts.

A trainer that reads strings gets one of these ids wherever the text has the string, so no example may hold one. Where a
vocabulary names its tokens in a file, that file is the source: the keys `tokenizer.ggml.tokens` and `token_type` of
llama.cpp's `ggml-vocab-*.gguf` (starcoder, refact, deepseek-coder, qwen2), else the added tokens of the model's
`tokenizer.json`, and mistral-common's list for Codestral. Tokens that are words of ordinary text, such as the HTML tags and
runs of blanks of Gemma and the letters of DeepSeek, are no special tokens.
"""


def _numbered(before: str, numbers: range, after: str) -> tuple[str, ...]:
    return tuple(f"{before}{number}{after}" for number in numbers)


STARCODER2 = (
    *("<fim_pad>", "<repo_name>", "<file_sep>", "<issue_start>", "<issue_comment>", "<issue_closed>"),
    *("<jupyter_start>", "<jupyter_text>", "<jupyter_code>", "<jupyter_output>", "<jupyter_script>", "<empty_output>"),
    *("<code_to_intermediate>", "<intermediate_to_code>"),
    *(
        "<pr>",
        "<pr_status>",
        "<pr_is_merged>",
        "<pr_base>",
        "<pr_file>",
        "<pr_base_code>",
        "<pr_diff>",
        "<pr_diff_hunk>",
    ),
    *("<pr_comment>", "<pr_event_id>", "<pr_review>", "<pr_review_state>", "<pr_review_comment>"),
    *("<pr_in_reply_to_review_id>", "<pr_in_reply_to_comment_id>", "<pr_diff_hunk_comment_line>"),
    *("<NAME>", "<EMAIL>", "<KEY>", "<PASSWORD>"),
)
"""bigcode/starcoder2, ids 4 to 37."""

STABLE_CODE = ("<|padding|>",)
"""stabilityai/stable-code-3b: GPT-NeoX's padding, beside StarCoder's."""

MELLUM = ("<system>", "</system>", "<assistant>", "</assistant>", "<user>", "</user>", "<think>", "</think>")
"""JetBrains/Mellum-4b-base, beside StarCoder's."""

GRANITE_3 = (
    *("<|start_of_role|>", "<|end_of_role|>", "<|tool_call|>", "<|start_of_cite|>", "<|end_of_cite|>"),
    *("<|start_of_plugin|>", "<|end_of_plugin|>", "<|audio|>"),
)
"""ibm-granite/granite-3.x, ids 49152 to 49159, beside StarCoder's without `<|endoftext|>`."""

GRANITE_4 = (
    *("<|pad|>", "<|fim_pad|>", "<|filename|>", "<|reponame|>", "<|start_of_role|>", "<|end_of_role|>", "<|unk|>"),
    *("<|start_of_plugin|>", "<|end_of_plugin|>", "<tool_call>", "</tool_call>", "<tool_response>", "</tool_response>"),
    *("<think>", "</think>", "<think_on>", "<think_off>", "<schema>", "</schema>", "<tools>", "</tools>"),
    *("<documents>", "</documents>"),
    *_numbered("<|unused_", range(1, 100), "|>"),
)
"""ibm-granite/granite-4.0-*, ids from 100256."""

SANTACODER = ("<fim-pad>",)
"""bigcode/santacoder."""

CODELLAMA = ("<unk>", "</s>", "<FILL_ME>", "<PRE>", "<SUF>", "<MID>", "<EOT>")
"""codellama/CodeLlama-*-hf, and its four sentinels without the blank that they hold: sentencepiece reads ` <PRE>` as one."""

DEEPSEEK_CODER = ("<pad>", "<|User|>", "<|Assistant|>", "<|EOT|>")
"""deepseek-ai/deepseek-coder-*-base, ids 32018 to 32021."""

QWEN = (
    *("<|im_start|>", "<|im_end|>", "<|object_ref_start|>", "<|object_ref_end|>", "<|box_start|>", "<|box_end|>"),
    *("<|quad_start|>", "<|quad_end|>", "<|vision_start|>", "<|vision_end|>", "<|vision_pad|>", "<|image_pad|>"),
    *("<|video_pad|>", "<tool_call>", "</tool_call>", "<|fim_pad|>", "<|repo_name|>", "<|file_sep|>"),
)
"""Qwen/Qwen2.5-Coder-*, ids 151644 to 151664."""

GEMMA = (
    *("<pad>", "<eos>", "<unk>", "<mask>", "<2mass>", "[@BOS@]", "<start_of_turn>", "<end_of_turn>"),
    *_numbered("<unused", range(99), ">"),
)
"""google/codegemma-*, ids 0 to 107."""

CODESTRAL = (
    *("<unk>", "[INST]", "[/INST]", "[TOOL_CALLS]", "[AVAILABLE_TOOLS]", "[/AVAILABLE_TOOLS]", "[TOOL_RESULTS]"),
    *("[/TOOL_RESULTS]", "[IMG]", "[MIDDLE]"),
    *_numbered("[control_", range(3, 769), "]"),
)
"""mistralai/Codestral-*: the control tokens of version 3 of Mistral's tokenizer, reserved ones included."""

SEED_CODER = ("<[PAD▁TOKEN]>", "<[SEP▁TOKEN]>")
"""ByteDance-Seed/Seed-Coder-8B-Base."""

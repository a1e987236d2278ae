"""The values of choices, each with a line on what it does."""

from __future__ import annotations

VALUE_DESCRIPTIONS: dict[str, dict[str, str]] = {
    "guard": {
        "on": "takes off headers and quotes, marks what is odd",
        "off": "posts replies as the model writes them",
    },
    "turn_manager": {
        "RoundRobin": "everybody in turn, in the order of the list",
        "RandomWeighted": "back and forth with chance p_respond, else anybody",
        "RandomTurn": "anybody but the last speaker, equally likely",
    },
    "prompt_style": {
        "syndisco-2.0": "“User NAME posted:” before each message",
        "syndisco-2.2": "“Comment by user NAME:” before each message",
        "chat": "a chat: one's own messages as replies",
    },
    "tell_turns_left": {
        "no": "prompts say nothing of the end",
        "yes": "each prompt says how many turns are left",
    },
    "quantization": {
        "auto": "as stored; 4bit where it would not fit",
        "none": "as stored",
        "4bit": "a quarter of the memory, a little less exact",
        "8bit": "half the memory, nearly exact",
    },
    "dtype": {
        "auto": "bfloat16 on a GPU, float32 on a CPU",
        "float32": "exact, with twice the memory",
        "bfloat16": "half the memory; for most GPUs",
        "float16": "half the memory; for older GPUs",
    },
    "reasoning": {
        "auto": "as the model's chat template has it",
        "off": "speak at once",
        "on": "think first, then speak",
    },
    "model": {
        "auto": "a Llama of 3B with CUDA, otherwise the starter",
        "starter": "the smallest model, for any computer",
    },
    "device": {
        "auto": "the GPU, if torch finds one",
        "cpu": "the processor",
        "cuda": "the first GPU; cuda:1 is the second",
    },
    "keymap": {
        "standard": "arrows, and a letter for each action",
        "vim": "also h j k l, g, G, ctrl+d, ctrl+u",
    },
    "load_at_start": {
        "no": "load it when a discussion is started",
        "yes": "load it when the app opens",
    },
}
"""What each value of a choice does, by the key of the setup's or the settings' field."""

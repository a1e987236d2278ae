"""Sentences about reasoning switches of a setup that its models lack."""

from __future__ import annotations

from ..discussion import DiscussionSetup
from ..engine.model import EngineInfo
from .model_path import short_name
from .state import SessionState


def unheeded_reasoning(state: SessionState, setup: DiscussionSetup) -> str:
    """A sentence for each loaded model that lacks a switch that ``setup`` uses."""
    sentences: dict[str, None] = {}
    for name in setup.names:
        info = state.info_of(setup, name)
        if info is not None and (fields := _unheeded(info, setup.with_model_of(name))):
            model = short_name(info.name or info.model)
            unheeded = " and ".join(fields)
            sentences[f"{model} does not heed {unheeded}: it has no such switch."] = None
    return " ".join(sentences)


def _unheeded(info: EngineInfo, setup: DiscussionSetup) -> list[str]:
    if info.reasoning is None:
        return []
    fields = []
    if setup.reasoning != "auto" and setup.reasoning not in info.reasoning:
        fields.append(f"reasoning = “{setup.reasoning}”")
    if setup.reasoning_effort and setup.reasoning != "off" and "effort" not in info.reasoning:
        fields.append("reasoning_effort")
    return fields

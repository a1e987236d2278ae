"""Records with everything in them that a saved discussion can have, and the parts they are of."""

from __future__ import annotations

from typing import Any

from syndisco_tui.discussion import (
    BatchMembership,
    Change,
    DiscussionRecord,
    DiscussionSetup,
    EarlierSetup,
    Message,
    Parent,
    Persona,
    SpeakerOverride,
)

KEYS_OF_2_0_1 = {
    "id",
    "timestamp",
    "users",
    "moderator",
    "user_prompts",
    "moderator_prompt",
    "ctx_length",
    "logs",
}
KEYS_OF_A_LOG = {"name", "text", "model", "prompt"}

SETUP = DiscussionSetup(
    title="On “quotes”",
    personas=(
        Persona(username="Ann", age=40, personality_characteristics=("calm",), shoe_size=38),
        Persona(username="Bob", age="Under 18", sex=None),
    ),
    moderator=Persona(username="Mod"),
    history_context_len=None,
    seed_opinions=("Hello.",),
    seed_opinion_usernames=("Ann",),
)


def said(name: str, text: str, turn: int, role: Any = "user", **more: Any) -> Message:
    return Message(
        name=name,
        text=text,
        role=role,
        turn=turn,
        model="scripted",
        prompt="{}",
        finish_reason="stop",
        prompt_tokens=12,
        completion_tokens=3,
        seconds=1.25,
        seed=2**53 - 1,
        created_at="2026-03-04T05:06:07.123+00:00",
        **more,
    )


def silence(name: str, turn: int) -> Message:
    return said(name, "", turn, raw_text='""')


def record(*entries: Message, **more: Any) -> DiscussionRecord:
    values = {
        "id": "5bf8c9a0-0000-4000-8000-000000000000",
        "started_at": "2026-03-04T05:06:07+00:00",
        "setup": SETUP,
        "entries": entries,
        "status": "paused",
        "title": more.get("setup", SETUP).title,
    } | more
    return DiscussionRecord(**values)


FULL = record(
    Message(name="Ann", text="Hello.", role="seed"),
    said("Bob", "Ünïcödé 🙂\n\nand a \\ and a \x1b[31m.", 1, raw_text='"raw"', attempt=2),
    said("Mod", "Please be kind.", 1, role="moderator"),
    Message(name="Guest", text="Let me in.", role="human", created_at="2026-03-04T05:07:00+00:00"),
    said("Ann", "Half a sen", 2, original_text="Half a sentence", speaker_overridden=True),
    title="On “quotes”",
    status="running",
    parent=Parent("parent-id", 3),
    engine={"model": "starter", "versions": {"torch": "2.11"}},
    earlier_setups=(EarlierSetup(1, SETUP.model_copy(update={"context": "Before"}), 2),),
    changes=(
        Change("edited", 1, 2, (said("Bob", "Before.", 1),), "2026-03-04T05:08:00+00:00"),
        Change("injected", 3, 3),
        Change(
            "deleted",
            4,
            6,
            (said("Ann", "Gone.", 2), silence("Bob", 3)),
            setup=SETUP.model_copy(update={"context": "Between"}),
        ),
        Change(
            "chosen",
            4,
            5,
            (said("Ann", "No.", 2), said("Ann", "Nor this.", 2, attempt=1)),
            is_undone=True,
            earlier_setups=(EarlierSetup(1, SETUP.model_copy(update={"context": "Before"}), 2),),
        ),
    ),
    speaker_override=SpeakerOverride(3, "Bob"),
    batch=BatchMembership("batch-id", 2, 8),
)

"""This project under SynDisco's names, so that SynDisco's own tests can be run on it.

A plugin of pytest, loaded where SynDisco 2.2.1 can be imported. Turn managers, discussions and
annotations are ours, and prompt SynDisco's models as ``--model python:…`` does; logs are
SynDisco's, read from what we export. ``tests/unit/engine/test_syndisco_tests.py`` runs it.
"""

from __future__ import annotations

import copy
import json
import tempfile
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import syndisco

from syndisco_tui.discussion import (
    Discussion,
    DiscussionRecord,
    DiscussionSetup,
    Message,
    Persona,
    Reply,
)
from syndisco_tui.discussion.annotation import Question, annotation_chat
from syndisco_tui.discussion.scales import TextScale
from syndisco_tui.discussion.turns import make_turn_manager
from syndisco_tui.engine.base import GenerationRequest
from syndisco_tui.engine.python_class.own_model import OwnModel
from syndisco_tui.store.export.syndisco import as_2_2

STARTED_AT = "2026-01-31T09:30:00+00:00"


def reply_of(actor: Any, chat: Any) -> str:
    """What an actor's model says to ``chat``."""
    model = OwnModel(actor._model.get_name(), "prompt", model=actor._model)
    return "".join(model.pieces(GenerationRequest(chat, max_out_tokens=200)))


class OurTurnManager(syndisco.TurnManager):
    """One of our turn managers, over actors."""

    kind = "RoundRobin"
    p_respond = 0.0

    def __init__(self, actors: Any = None, random_state: Any = None) -> None:
        super().__init__(actors)
        self._rng = random_state or np.random.default_rng()
        self.seed = int(self._rng.integers(1 << 53))
        self._spoken: list[str] = []

    def order(self) -> list[str]:
        return [actor.get_actor_name() for actor in self._actors]

    def _next_impl(self) -> Any:
        manager = make_turn_manager(
            self.kind, self.order(), p_respond=self.p_respond, seed=self.seed
        )
        name = manager.choose(self._spoken)
        self._spoken.append(name)
        return next(actor for actor in self._actors if actor.get_actor_name() == name)

    def make_instance(self) -> Any:
        instance = copy.copy(self)
        instance._actors, instance._spoken = [], []
        instance.seed = int(self._rng.integers(1 << 53))
        return instance


class QueueTurnManager(OurTurnManager):
    """``RoundRobin``; a random first speaker is a matter of who is listed first."""

    def __init__(
        self, actors: Any = None, randomize_first_speaker: bool = False, random_state: Any = None
    ) -> None:
        super().__init__(actors, random_state)
        self._randomize_first_speaker = randomize_first_speaker
        self._curr_turn: int | None = None

    def order(self) -> list[str]:
        names = super().order()
        if self._curr_turn is None:
            start = self._rng.integers(len(names)) if self._randomize_first_speaker else 0
            self._curr_turn = int(start)
        return names[self._curr_turn :] + names[: self._curr_turn]

    def make_instance(self) -> Any:
        instance = super().make_instance()
        instance._curr_turn = None
        return instance


class RespondTurnManager(OurTurnManager):
    """``RandomWeighted``."""

    kind = "RandomWeighted"

    def __init__(
        self, actors: Any = None, p_respond: float = 0.5, random_state: Any = None
    ) -> None:
        super().__init__(actors, random_state)
        try:
            make_turn_manager(self.kind, ["somebody"], p_respond=p_respond, seed=0)
        except ValueError as error:
            raise AssertionError(str(error)) from None
        self.p_respond = p_respond

    @property
    def chance_to_respond(self) -> float:
        return self.p_respond

    @property
    def _last_speaker(self) -> str | None:
        return self._spoken[-1] if self._spoken else None

    @property
    def _second_to_last_speaker(self) -> str | None:
        return self._spoken[-2] if len(self._spoken) > 1 else None


class RandomTurnManager(RespondTurnManager):
    """``RandomTurn``."""

    kind = "RandomTurn"

    def __init__(self, actors: Any = None, random_state: Any = None) -> None:
        super().__init__(actors, 0.0, random_state)


def logs_of(record: DiscussionRecord) -> Any:
    """What SynDisco reads from our export."""
    text = as_2_2(record)
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "logs.json"
        file.write_text(text)
        logs = syndisco.Logs.from_file(file)
    for entry, exported in zip(logs, json.loads(text)["logs"], strict=True):
        # SynDisco reads no prompts; and it writes an empty one where we write none.
        nobody = syndisco.Actor(name=entry["name"]).get_system_prompt()
        entry["prompt"] = exported["prompt"] or nobody
    return logs


class OurDiscussion(Iterator[dict[str, str]]):
    """Our discussion, as SynDisco's iterator over entries."""

    def __init__(
        self,
        next_turn_manager: Any,
        users: Any,
        history_context_len: int = 5,
        conv_len: int = 5,
        seed_opinions: Any = None,
        seed_opinion_usernames: Any = None,
        **others: Any,
    ) -> None:
        if any(user.is_annotator for user in users):
            raise ValueError("an annotator cannot take part")
        self._users = {user.get_actor_name(): user for user in users}
        setup = DiscussionSetup(
            personas=[Persona(username=name) for name in self._users],
            turn_manager=next_turn_manager.kind,
            p_respond=next_turn_manager.p_respond,
            seed=next_turn_manager.seed,
            conv_len=conv_len,
            history_context_len=history_context_len,
            seed_opinions=seed_opinions or [],
            seed_opinion_usernames=seed_opinion_usernames or [],
            prompt_style="syndisco-2.2",
        )
        self._discussion = Discussion(setup)

    def __next__(self) -> dict[str, str]:
        request = self._discussion.next_request()
        if request is None:
            raise StopIteration
        actor = self._users[request.name]
        text = reply_of(actor, request.chat)
        said = self._discussion.post(request, Reply(text, model=actor.get_model_name()))
        return {"name": said.name, "text": said.text, "model": said.model, "prompt": said.prompt}

    def begin(self, verbose: bool = True) -> None:
        for entry in self:
            if verbose:
                print(f"{entry['name']}: {entry['text']}")

    def get_logs(self) -> Any:
        record = DiscussionRecord("id", STARTED_AT, self._discussion.setup)
        return logs_of(self._discussion.to_record(record))


class OurAnnotation:
    """What our annotators are asked, of SynDisco's logs."""

    def __init__(self, annotator: Any, discussion_logs: Any, history_ctx_len: int = 2) -> None:
        self._annotator = annotator
        self._entries = [
            Message(each["name"], each["text"], model=each["model"]) for each in discussion_logs
        ]
        self._question = Question(
            context=annotator.context,
            instructions=annotator.instructions,
            scale=TextScale(),
            history_context_len=history_ctx_len - 1,
        )
        self._annotated: list[Message] = []

    def begin(self, verbose: bool = True) -> None:
        persona = Persona(username=self._annotator.get_actor_name())
        for position, entry in enumerate(self._entries):
            chat = annotation_chat(self._question, persona, self._entries, position)
            text, model = reply_of(self._annotator, chat), self._annotator.get_model_name()
            self._annotated.append(replace(entry, text=text, model=model, prompt=chat[0].content))

    def get_logs(self) -> Any:
        return logs_of(
            DiscussionRecord("id", STARTED_AT, DiscussionSetup(), tuple(self._annotated))
        )


syndisco.QueueTurnManager = QueueTurnManager
syndisco.RespondTurnManager = RespondTurnManager
syndisco.RandomTurnManager = RandomTurnManager
syndisco.Discussion = OurDiscussion
syndisco.Annotation = OurAnnotation

"""The domain: personas, turns, prompts and the discussion itself. Pure, without I/O."""

from .actor import Actor
from .discussion import Discussion
from .guard import Guard, GuardResult
from .history import CannotChange, entries_as_prompted, last_undoable
from .names import name_clash, name_key, near_name
from .past_requests import NotReproducible, RebuiltRequest, rebuild_request
from .persona import Persona
from .prompt import ChatMessage
from .record import (
    HARDCODED,
    IMPORTED_FROM,
    BatchMembership,
    Change,
    DiscussionRecord,
    EarlierSetup,
    ExperimentMembership,
    Message,
    Parent,
    Reply,
    Role,
    Shortened,
    SpeakerOverride,
    Status,
)
from .request import NotTheNextTurn, TurnRequest
from .setup import DiscussionSetup
from .turns import TURN_MANAGERS, RandomTurn, RandomWeighted, RoundRobin, TurnManager

__all__ = [
    "HARDCODED",
    "IMPORTED_FROM",
    "TURN_MANAGERS",
    "Actor",
    "BatchMembership",
    "CannotChange",
    "Change",
    "ChatMessage",
    "Discussion",
    "DiscussionRecord",
    "DiscussionSetup",
    "EarlierSetup",
    "ExperimentMembership",
    "Guard",
    "GuardResult",
    "Message",
    "NotReproducible",
    "NotTheNextTurn",
    "Parent",
    "Persona",
    "RandomTurn",
    "RandomWeighted",
    "RebuiltRequest",
    "Reply",
    "Role",
    "RoundRobin",
    "Shortened",
    "SpeakerOverride",
    "Status",
    "TurnManager",
    "TurnRequest",
    "entries_as_prompted",
    "last_undoable",
    "name_clash",
    "name_key",
    "near_name",
    "rebuild_request",
]

"""The domain: personas, turns, prompts and the discussion itself. Pure, without I/O."""

from .actor import Actor
from .discussion import Discussion, NotTheNextTurn
from .entries import Entries
from .guard import Guard, Guarded
from .history import CannotChange
from .names import name_clash, name_key, near_name
from .pending_turn import Asked, NotOnRecord, asked_for
from .persona import Persona
from .prompt import ChatMessage
from .record import (
    HARDCODED,
    IMPORTED_FROM,
    BatchMembership,
    Change,
    DiscussionRecord,
    EarlierSetup,
    Floor,
    Message,
    Parent,
    Reply,
    Role,
    Shortened,
    Status,
)
from .request import TurnRequest
from .setup import DiscussionSetup
from .turns import TURN_MANAGERS, RandomTurn, RandomWeighted, RoundRobin, TurnManager

__all__ = [
    "HARDCODED",
    "IMPORTED_FROM",
    "TURN_MANAGERS",
    "Actor",
    "Asked",
    "BatchMembership",
    "CannotChange",
    "Change",
    "ChatMessage",
    "Discussion",
    "DiscussionRecord",
    "DiscussionSetup",
    "EarlierSetup",
    "Entries",
    "Floor",
    "Guard",
    "Guarded",
    "Message",
    "NotOnRecord",
    "NotTheNextTurn",
    "Parent",
    "Persona",
    "RandomTurn",
    "RandomWeighted",
    "Reply",
    "Role",
    "RoundRobin",
    "Shortened",
    "Status",
    "TurnManager",
    "TurnRequest",
    "asked_for",
    "name_clash",
    "name_key",
    "near_name",
]

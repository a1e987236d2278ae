"""Checks the servers of settings and of the last setup."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from ...text import counted, one_line, without_credentials
from ...workspace.folders import Folders
from ...workspace.inputs import InputError
from ...workspace.model_files import Precision
from ...workspace.models import ModelSources, NamedServer, model_sources
from ...workspace.settings import Settings, load_settings
from ...workspace.setups import LastSetup
from .check import Check, CheckFunction

ANSWER_SECONDS = 3.0
"""How long all servers together may take; each has one second."""
MOST_NAMES = 3
MOST_KNOWN = 5
"""Models of a server that are named, and of which is told what is known."""


def servers() -> Iterator[Check]:
    """Check whether each server answers, what it serves, and what was learned about it before."""
    folders = Folders.from_environment()
    sources = _sources(folders)
    is_any_known = folders.known_servers_file.exists()
    if sources is None or not (sources.servers or is_any_known):
        return
    from ...engine.server.known_servers import KnownServers  # imports openai
    from ...engine.server.listing import ServerAddress, ServerAnswer, ServerQuery

    answers: dict[str, ServerAnswer] = {}
    addresses = [ServerAddress(each.url, each.key) for each in sources.servers]
    query = ServerQuery(addresses, lambda answer: answers.update({answer.address.url: answer}))
    query.start()
    query.done.wait(ANSWER_SECONDS)
    query.cancel()
    known = KnownServers(folders.known_servers_file).all()
    facts: dict[str, list[str]] = {}
    for (url, model), capabilities in known.items():
        if capabilities.facts:
            fact = f"{one_line(model, 60)}: {'; '.join(capabilities.facts)}"
            facts.setdefault(url, []).append(fact)
    for server in sources.servers:
        yield _server(server, answers.get(server.url))
        for fact in facts.pop(without_credentials(server.url), [])[:MOST_KNOWN]:
            yield Check("", fact)
    for url, others in list(facts.items())[:MOST_KNOWN]:
        yield Check("server", f"{one_line(url, 80)}, used before, not asked now")
        for fact in others[:MOST_KNOWN]:
            yield Check("", fact)


def _sources(folders: Folders) -> ModelSources | None:
    """The servers to ask; None if settings cannot be read, which another check reports."""
    try:
        settings = load_settings(folders.settings_file, {})
        used = [name for name in _used(folders) if _is_known(name, settings)]
        return model_sources(folders, settings, Precision(), used)
    except InputError:
        return None


def _used(folders: Folders) -> Sequence[str]:
    """The servers of the setup that was on the screen when the app was left."""
    try:
        setup = LastSetup(folders.last_setup_file, {}).read()
    except InputError:  # which is told when the app is opened
        return ()
    if setup is None:
        return ()
    return (*setup.server, *(name for each in setup.models.values() for name in each.server or ()))


def _is_known(server: str, settings: Settings) -> bool:
    """Whether ``server`` is a URL or still has a name in settings."""
    return "://" in server or server in settings.servers


def _server(server: NamedServer, answer: object) -> Check:
    from ...engine.server.listing import ServerAnswer

    shown = one_line(without_credentials(server.url), 80)
    label = server.name if "://" not in server.name else "server"
    if not isinstance(answer, ServerAnswer):
        return Check(label, f"{shown} did not answer in time", "could be better")
    if answer.error:
        advice = "Start it, or take it out of the setup or of settings."
        if answer.wants_key:
            advice = (
                "Put the key into the environment variable that settings name for this server "
                "(key_env; OPENAI_API_KEY by default)."
            )
        return Check(label, answer.error, "could be better", advice)
    names = [one_line(each.name, 60) for each in answer.models[:MOST_NAMES]]
    more = len(answer.models) - len(names)
    listed = ", ".join(names) + (f" and {counted(more, 'model')} more" if more else "")
    return Check(label, f"{shown} serves {listed or 'no model'}")


CHECKS: tuple[CheckFunction, ...] = (servers,)

"""TinyTroupe's agents with fragments, and Persona Hub's lines."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from syndisco_tui.discussion import Persona
from syndisco_tui.store.foreign.content import read_content
from syndisco_tui.store.foreign.persona_hub import MAX_PERSONAS
from syndisco_tui.store.foreign.tinytroupe import content_of_agent, merged
from syndisco_tui.workspace.importing import Importer, importable, named_fragments
from tests.support.foreign_files import file_with, lines, refusal

AGENT: dict[str, Any] = {
    "type": "TinyPerson",
    "persona": {
        "name": "Lisa Carter",
        "age": 28,
        "gender": "Female",
        "nationality": "Canadian",
        "education": "MSc",
        "occupation": {"title": "Data Scientist", "organization": "M", "description": "Models."},
        "personality": {"traits": ["curious", "kind"], "big_five": {"openness": "High"}},
        "preferences": {"interests": ["AI"], "likes": ["tea"]},
        "beliefs": ["Data helps."],
    },
}
FRAGMENT: dict[str, Any] = {
    "type": "Fragment",
    "persona": {
        "beliefs": ["Data helps.", "Travel widens."],
        "preferences": {"likes": ["trains"], "dislikes": ["queues"]},
        "age": 90,
        "style": "lively",
    },
}


class TestTinyTroupe:
    def test_fields_go_where_syndisco_has_them(self) -> None:
        (lisa,) = content_of_agent(AGENT, "x").personas
        assert (lisa.name, lisa.age, lisa.sex) == ("Lisa Carter", 28, "Female")
        assert lisa.current_employment == "Data Scientist at M"
        assert lisa.education_level == "MSc"
        assert lisa.personality_characteristics == ("curious", "kind")
        assert lisa.model_extra == {
            "nationality": "Canadian",
            "occupation_description": "Models.",
            "preferences": {"interests": ["AI"], "likes": ["tea"]},
            "beliefs": ["Data helps."],
            "big_five": {"openness": "High"},
        }

    def test_only_a_name_is_sure(self) -> None:
        (ann,) = content_of_agent({"type": "TinyPerson", "persona": {"name": "Ann"}}, "x").personas
        assert ann.attributes() == {"username": "Ann"}

    def test_a_fragment_adds_and_replaces_nothing(self) -> None:
        (lisa,) = content_of_agent(AGENT, "x", (FRAGMENT,)).personas
        assert lisa.age == 28
        assert lisa.model_extra is not None
        assert lisa.model_extra["beliefs"] == ["Data helps.", "Travel widens."]
        assert lisa.model_extra["preferences"]["likes"] == ["tea", "trains"]
        assert lisa.model_extra["preferences"]["dislikes"] == ["queues"]
        assert lisa.model_extra["style"] == "lively"

    def test_a_fragment_is_merged_where_it_is_named_with_its_agent(self, tmp_path: Path) -> None:
        agent = file_with(tmp_path, "lisa.agent.json", AGENT)
        fragment = file_with(tmp_path, "travel.fragment.json", FRAGMENT)
        files, fragments = named_fragments([agent, fragment])
        assert (files, fragments) == ([agent], [FRAGMENT])
        importer = Importer(tmp_path, (), (), fragments=fragments)
        assert importer.import_file(agent).new_personas == 1
        assert (importer.personas[0].model_extra or {})["style"] == "lively"
        alone, none = named_fragments([fragment])
        assert (alone, none) == ([fragment], [])
        assert "together with the agent it belongs to" in refusal(read_content, fragment)

    def test_of_a_folder_nobody_knows_what_belongs_together(self, tmp_path: Path) -> None:
        file_with(tmp_path, "lisa.agent.json", AGENT)
        file_with(tmp_path, "travel.fragment.json", FRAGMENT)
        named, fragments = named_fragments([tmp_path])
        assert (named, fragments) == ([tmp_path], [])
        importer = Importer(tmp_path, (), ())
        kinds = {importer.import_file(path).kind for path in importable(named)}
        assert kinds == {"personas", "error"}
        assert "style" not in (importer.personas[0].model_extra or {})

    JSON = st.recursive(
        st.one_of(st.none(), st.integers(), st.text(max_size=5)),
        lambda inner: (
            st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3)
        ),
        max_leaves=8,
    )

    @given(st.dictionaries(st.text(max_size=4), JSON, max_size=4))
    def test_merging_with_nothing_changes_nothing(self, facts: dict[str, Any]) -> None:
        assert merged(facts, {}) == facts
        assert merged({}, facts) == facts
        assert merged(facts, facts) == facts

    @given(
        st.dictionaries(
            st.sampled_from([*Persona.model_fields, "name", "occupation", "style"]), JSON
        )
    )
    def test_nothing_an_agent_says_is_lost(self, facts: dict[str, Any]) -> None:
        persona = content_of_agent(
            {"type": "TinyPerson", "persona": {**facts, "name": "Ann", "age": 3}}, "x"
        ).personas[0]
        said = json.dumps(persona.as_dict(), ensure_ascii=False)
        for key, value in facts.items():
            if isinstance(value, str) and key not in ("name", "age") and value.strip():
                assert json.dumps(value.strip(), ensure_ascii=False)[1:-1] in said


class TestPersonaHub:
    def test_each_line_is_somebody_with_a_name(self, tmp_path: Path) -> None:
        path = file_with(
            tmp_path,
            "hub.jsonl",
            lines({"persona": "A miller."}, {"persona": "A nurse.", "age": "x"}),
        )
        first, second = read_content(path).personas
        assert (first.model_extra or {})["description"] == "A miller."
        assert first.name
        assert first.name != second.name
        assert (second.model_extra or {})["persona_hub_age"] == "x"

    def test_names_are_the_same_each_time_and_nobody_s_twice(self, tmp_path: Path) -> None:
        path = file_with(tmp_path, "hub.jsonl", lines(*[{"persona": f"P{n}."} for n in range(400)]))
        names = [persona.name for persona in read_content(path).personas]
        assert len(set(names)) == 400
        assert names == [persona.name for persona in read_content(path).personas]

    @pytest.mark.parametrize("line", [{"persona": ""}, {"persona": 3}])
    def test_a_line_without_a_sentence_is_named(self, tmp_path: Path, line: Any) -> None:
        path = file_with(tmp_path, "hub.jsonl", lines({"persona": "A miller."}, line))
        assert refusal(read_content, path).startswith(f"{path}: line 2: has no sentence")

    def test_too_many_are_refused_with_advice(self, tmp_path: Path) -> None:
        path = file_with(tmp_path, "hub.jsonl", b'{"persona": "P."}\n' * (MAX_PERSONAS + 1))
        assert "head -n 1000" in refusal(read_content, path)

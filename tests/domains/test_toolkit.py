"""A toolkit's tools are its declared methods; their schemas come from signature and docstring, or from a benchmark's file."""

import json

import pytest
from pydantic import BaseModel

from writ.domains.airline.tools import AirlineTools
from writ.domains.retail.tools import RetailTools
from writ.domains.toolkit import Toolkit, generic_tool, read_tool, write_tool
from writ.errors import ArtifactError


class PetShape(BaseModel):
    pets: dict[str, dict[str, int]]


class PetTools(Toolkit):
    shape = PetShape

    @read_tool
    def get_pet(self, name: str) -> str:
        """Show a pet.

        Only one at a time.

        Args:
            name: Its name,
                as written on the collar.
        """
        return name

    @write_tool
    def feed(self, name: str, grams: int = 50) -> str:
        """Feed a pet."""
        return name

    @generic_tool
    def wait(self) -> str:
        """Wait."""
        return ""

    def not_a_tool(self) -> str:
        return ""


class MorePetTools(PetTools):
    @write_tool
    def groom(self, name: str) -> str:
        """Groom a pet."""
        return name


def test_the_tools_of_a_toolkit_are_its_declared_methods_in_order():
    assert [(tool.name, tool.kind) for tool in PetTools.tools.values()] == [("get_pet", "read"), ("feed", "write"), ("wait", "generic")]


def test_a_derived_toolkit_adds_to_the_tools_of_its_base():
    assert [*MorePetTools.tools] == ["get_pet", "feed", "wait", "groom"]
    assert "groom" not in PetTools.tools


def test_a_schema_states_description_types_and_what_is_required():
    assert PetTools.tools["get_pet"].schema == {
        "type": "function",
        "function": {
            "name": "get_pet",
            "description": "Show a pet.\n\nOnly one at a time.",
            "parameters": {
                "properties": {"name": {"description": "Its name, as written on the collar.", "title": "Name", "type": "string"}},
                "required": ["name"],
                "title": "parameters",
                "type": "object",
            },
        },
    }
    feed = PetTools.tools["feed"].schema["function"]["parameters"]
    assert feed["required"] == ["name"]
    assert feed["properties"]["grams"] == {"default": 50, "title": "Grams", "type": "integer"}


@pytest.mark.parametrize("toolkit", [RetailTools, AirlineTools])
def test_every_tool_and_every_argument_of_a_built_in_domain_is_described(toolkit):
    for schema in toolkit.schemas():
        function = schema["function"]
        assert function["description"], function["name"]
        for name, parameter in function["parameters"]["properties"].items():
            assert parameter.get("description"), f"{function['name']}({name})"


def structure(value: object) -> object:
    """A schema without its wording."""
    if isinstance(value, dict):
        return {key: structure(item) for key, item in value.items() if not (key == "description" and isinstance(item, str))}
    return [structure(item) for item in value] if isinstance(value, list) else value


@pytest.mark.parametrize(("name", "toolkit"), [("retail", RetailTools), ("airline", AirlineTools)])
def test_schemas_differ_from_the_benchmarks_in_wording_only(shared, name, toolkit):
    file = shared / "tau2-bench" / name / "tools.json"
    published = toolkit.schemas_from(file.read_bytes(), str(file))
    assert json.dumps(structure(published)) == json.dumps(structure(toolkit.schemas()))
    assert not {text(s) for s in published} & {text(s) for s in toolkit.schemas()}


def text(schema: dict) -> str:
    return schema["function"]["description"]


def test_a_file_of_schemas_replaces_the_toolkits_own():
    prescribed = [{"type": "function", "function": {"name": n, "description": "theirs"}} for n in PetTools.tools]
    assert PetTools.schemas_from(json.dumps(prescribed).encode(), "tools.json") == prescribed


@pytest.mark.parametrize(
    ("listed", "fault"),
    [
        ([{"function": {"name": "get_pet"}}], r"\['feed', 'wait'\]"),
        ([{"function": {"name": n}} for n in ("get_pet", "feed", "wait", "bark")], r"\['bark'\]"),
        ([{"function": {"name": n}} for n in ("get_pet", "feed", "wait", "wait")], "the same tool twice"),
        ({"get_pet": {}}, "get_pet"),
        ([7, {"function": None}], "get_pet"),
    ],
)
def test_a_file_of_schemas_for_other_tools_is_refused(listed, fault):
    with pytest.raises(ArtifactError, match=rf"^tools.json does not describe the tools of PetTools: .*{fault}"):
        PetTools.schemas_from(json.dumps(listed).encode(), "tools.json")

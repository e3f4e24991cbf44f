"""The stage that makes the page: what it holds, what it keeps in memory, what it refuses."""

import base64
import json
import re
import zlib
from pathlib import Path

import pytest
from report_worlds import conversation, library_run, snapshot, write_page

from writ.errors import ArtifactError
from writ.report.blocks import BLOCK_CONVERSATIONS, Blocks
from writ.report.head import domain_facts
from writ.report.index import title_of
from writ.report.names import words
from writ.report.stage import write_report
from writ.schema import Behavior, Call, Kind
from writ.settings import RunConfig
from writ.streams import Conversation
from writ.verification.causes import CAUSES, OWNERS
from writ.verification.stage import CHECKS

DOMAIN = domain_facts(snapshot())
PAGE = Path(__file__).parents[2] / "src" / "writ" / "report" / "page"


def unpacked(page: Path, element: str) -> str:
    packed = re.search(rf'id="{element}">([^<]*)<', page.read_text(encoding="utf-8"))
    return "\0".join(zlib.decompress(base64.b64decode(part)).decode() for part in packed[1].split(" "))


def test_index_holds_one_line_per_conversation_in_columns_of_equal_length(tmp_path):
    made = library_run(12)
    data = json.loads(unpacked(write_page(tmp_path / "page.html", made), "index"))
    columns = data["columns"]
    assert columns["id"] == [each.trajectory.id for each in made]
    assert {len(column) for column in columns.values()} == {12}
    assert columns["cause"][0] == "wrong_argument"
    assert columns["row"][:3] == ["", "", "train"]
    assert data["head"]["asked"] == [["library", 1, "2-3", 4], ["library", 1, "9-11", 4]]
    assert set(columns["title"]) == {"Place hold: The Salt Island"}


def test_title_names_tools_and_object_of_the_first_wish_and_how_many_more():
    task = conversation(1).task
    decision, wish = task.decisions[0], task.wishes[0]

    def titled(subject, *tools, wishes=1):
        calls = tuple(Call(name=name, arguments={"member_id": "m1", "hold_id": "h7"}) for name in tools)
        changed = decision.model_copy(update={"subject": subject, "calls": calls})
        return title_of(task.model_copy(update={"wishes": (wish,) * wishes, "decisions": (changed,) * wishes}))

    assert titled("every hold of yours that waits", "cancel_hold", "cancel_hold") == "Cancel hold: every hold that waits"
    assert titled("hold h7", "cancel_hold", "pay_fine") == "Cancel hold and pay fine: h7"
    assert titled("", "cancel_hold", wishes=3) == "Cancel hold: h7, and 2 more"
    assert titled("the atlas") == "Place hold: the atlas"


def test_title_of_a_telling_begins_with_what_is_asked_first():
    task = conversation(1).task
    later = task.wishes[0].model_copy(update={"slots": {"title": "another"}})
    other = task.decisions[0].model_copy(update={"subject": "the globe"})
    both = task.model_copy(update={"wishes": (task.wishes[0], later), "decisions": (task.decisions[0], other)})
    assert title_of(both, (later, task.wishes[0])) == "Place hold: the globe, and 1 more"
    assert title_of(both) == title_of(both, both.wishes) == "Place hold: The Salt Island, and 1 more"


def test_block_holds_the_whole_conversation(tmp_path):
    made = [conversation(number) for number in range(3)]
    parts = unpacked(write_page(tmp_path / "page.html", made), "block-0").split("\0")
    messages, given, rest = (json.loads(part.split("\n")[1]) for part in parts)
    assert given == [message.content for message in made[1].trajectory.messages if message.role == "tool"]
    assert [message[1:2] for message in messages if message[0] == "t"] == [[""]] * 3
    assert [message[0] for message in messages] == [message.role[0] for message in made[1].trajectory.messages]
    assert messages[7][2] == [["c70", "place_hold", made[1].trajectory.messages[7].tool_calls[0].arguments]]
    assert rest["verdict"] == made[1].verdict.model_dump(mode="json")
    assert rest["task"] == made[1].task.model_dump(mode="json")


def test_prices_of_the_endpoints_reach_the_page_and_paths_do_not(tmp_path):
    config = RunConfig.model_validate({"out": "/secret/place", "simulation": {"agent": {"usd_per_million_prompt_tokens": 2.5}}})
    head = json.loads(unpacked(write_page(tmp_path / "page.html", [conversation(1)], config), "index"))["head"]
    assert head["prices"] == {"agent": [2.5, 0.0], "user": [0.0, 0.0]}
    assert "/secret/place" not in json.dumps(head)


def test_page_names_no_address_and_parses_no_data_as_markup(tmp_path):
    page = write_page(tmp_path / "page.html", [conversation(1)]).read_text(encoding="utf-8")
    own = re.sub(r'<script type="application/x-writ"[^<]*</script>', "", page)
    assert set(re.findall(r"https?://[\w./]+", own)) == {"http://www.w3.org/2000/svg"}
    assert not re.search(r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\(|new Function", own)
    assert "default-src 'none'" in own


def test_block_ends_at_its_number_of_conversations_and_only_compressed_text_is_held():
    blocks = Blocks()
    for number in range(2 * BLOCK_CONVERSATIONS + 1):
        made = conversation(number)
        blocks.add(Conversation(made.trajectory, made.task, made.instruction), made.verdict, DOMAIN)
    assert blocks.starts == [0, BLOCK_CONVERSATIONS, 2 * BLOCK_CONVERSATIONS]
    assert len(blocks.packed) == 2
    assert sum(map(len, blocks.packed)) < 200_000


def test_large_conversations_end_a_block_early():
    blocks = Blocks()
    for number in range(4):
        made = conversation(number, text="B" * 2_200_000)
        blocks.add(Conversation(made.trajectory, made.task, made.instruction), made.verdict, DOMAIN)
    assert blocks.starts == [0, 1, 2, 3]


def test_tasks_that_were_made_and_not_tried_count_as_made_and_asked_for(tmp_path):
    page = write_page(tmp_path / "page.html", [conversation(1)], spare=[conversation(2, burden=9).task])
    head = json.loads(unpacked(page, "index"))["head"]
    assert head["tasks"] == 2
    assert head["asked"] == [["library", 1, "2-3", 4], ["library", 1, "9-11", 4]]


@pytest.mark.parametrize("follow", [[1], [1, 3]])
def test_trajectory_without_its_verdict_is_refused(follow):
    made = [conversation(1), conversation(2)]
    inputs = {"tasks": [m.task for m in made], "instructions": [m.instruction for m in made], "trajectories": [m.trajectory for m in made]}
    with pytest.raises(ArtifactError, match="no verdict follows for trajectory conversation-000000000002"):
        list(
            write_report(
                RunConfig(),
                domain=[snapshot()],
                **inputs,
                verdicts=[conversation(number).verdict for number in follow],
                rows=[],
                emit=lambda *_: None,
            )
        )


def test_every_term_of_the_records_has_a_name_for_people():
    assert set(CAUSES) == set(words()["causes"])
    assert set(CHECKS) == set(words()["checks"])
    assert set(OWNERS) == set(words()["owners"])
    assert set(Kind.__args__) == set(words()["kinds"])
    for axis, field in Behavior.model_fields.items():
        values = {str(value) for value in getattr(field.annotation, "__args__", (True, False))}
        assert values == set(words()["axes"][axis][1])


def test_scripts_are_short_files_of_one_concern():
    lengths = {path.name: len(path.read_text(encoding="utf-8").splitlines()) for path in PAGE.glob("*.js")}
    assert max(lengths.values()) < 400

"""The same content in a terminal."""

import io
import re

from report_worlds import HOSTILE, conversation, snapshot
from rich.console import Console

from writ.report.head import domain_facts
from writ.report.names import readable
from writ.report.terminal import LIT, show_conversation, show_task, visible
from writ.streams import Conversation

DOMAIN = domain_facts(snapshot())


def console(**options):
    return Console(file=io.StringIO(), width=120, highlight=False, **options)


def printed(made, **options):
    screen = console()
    for part in show_conversation(Conversation(made.trajectory, made.task, made.instruction), made.verdict, DOMAIN, **options):
        screen.print(part)
    return screen.file.getvalue()


def joined(text):
    """Without the frames and breaks of lines."""
    return re.sub(r"[│╭╮╰╯─\s]+", " ", text)


def test_write_is_shown_with_the_origin_of_each_argument():
    text = printed(conversation(1))
    assert "7 Change: Place hold, as the right answer" in text
    assert "Of 2 editions of The Salt Island that fit, The Salt Island, audiobook (e572) has the newest edition: year 2002." in joined(text)
    assert "Next best: The Salt Island, large print (e571), year 1971." in joined(text)
    assert joined(text).index("Of 2 editions") < joined(text).index("Customer")  # above the chat too
    assert "worked out: the member of the card" in text
    assert "get_edition showed it in message 4 (edition_id)" in text
    assert "the customer said it in message 1" in text
    assert "Kept: every check passed" in text


def test_value_that_the_customer_only_described_names_the_output_that_showed_it():
    made = conversation(1)
    said = {"kind": "said", "turn": 1, "path": ""}
    origins = tuple(origin.model_copy(update=said) if origin.argument == "edition_id" else origin for origin in made.verdict.origins)
    text = printed(made._replace(verdict=made.verdict.model_copy(update={"origins": origins})))
    assert "the customer described it in message 1; get_edition showed it in message 4" in text


def test_origin_is_lit_where_it_was_said_and_not_inside_other_words():
    screen = console()
    made = conversation(1)
    lit = []
    for part in show_conversation(Conversation(made.trajectory, made.task, made.instruction), made.verdict, DOMAIN):
        spans = getattr(part, "spans", ())
        lit += [part.plain[span.start : span.end] for span in spans if span.style == LIT]
        screen.print(part)
    assert lit == ["South", "South", "e572"]


def test_lost_conversation_names_cause_owner_and_place():
    text = printed(conversation(0, cause="ungrounded_argument"))
    assert "Lost: Value from nowhere." in text
    assert "Owner: agent." in text
    assert "from nowhere: nobody said it and no tool showed it" in text
    assert "In message 7, the agent made “Place hold” with edition e999, which nobody said" in joined(text)
    assert text.index("7 Change: Place hold") < text.rindex("✕ Value from nowhere: In message 7") < text.index("8  Result")


def test_wrong_value_says_what_is_due():
    text = printed(conversation(0, cause="wrong_argument"))
    assert "7 Change: Place hold, differs from the right answer" in text
    assert re.search(r"Edition +e571 +should be e572; get_edition showed it", text)
    assert "the agent set edition to e571, where e572 was due. Right is: Of 2 editions of The Salt Island that fit" in joined(text)


def test_hostile_text_cannot_steer_the_terminal():
    text = printed(conversation(0, text=HOSTILE + "[bold]B" * 300), full=True)
    assert not set("\x1b\x00\u202e\u2066") & set(text)
    assert "<U+202E>gnp.exe" in text
    assert "[bold]B[bold]B" in text.replace("\n", "")


def test_long_result_is_cut_around_the_value_that_matters_unless_full():
    made = conversation(1, text="C" * 5000)
    assert "C" * 200 not in printed(made).split("Look-up")[-1].split("Agent")[0].replace("\n", "")
    assert printed(made, full=True).replace("\n", "").count("C" * 5000) >= 1


def test_task_shows_what_was_chosen_among_best_first():
    screen = console()
    for part in show_task(conversation(1).task, DOMAIN):
        screen.print(part)
    text = screen.file.getvalue()
    assert "3 editions of The Salt Island" in text
    assert text.index("2002") < text.index("1971") < text.index("2010")
    assert text.index("Winner") < text.index("Runner-up") < text.index("Out: cannot be lent")


def test_refusal_says_its_rule_in_words():
    task = conversation(1).task
    refused = task.decisions[0].model_copy(update={"outcome": "deny", "rule": "hold_limit", "calls": ()})
    screen = console()
    for part in show_task(task.model_copy(update={"decisions": (refused,)}), DOMAIN):
        screen.print(part)
    assert f"Because of the rule: {DOMAIN['rules']['hold_limit']}" in " ".join(screen.file.getvalue().split())
    assert readable("place_hold is forbidden by 'hold_limit'", DOMAIN).startswith("“Place hold” is forbidden by the rule “a member")


def test_control_characters_become_their_codes():
    assert visible("a\x1b[2Jb\u200bc\td\n") == "a<U+001B>[2Jb<U+200B>c\td\n"

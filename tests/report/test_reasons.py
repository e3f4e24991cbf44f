"""The one sentence that a reader needs at a change, and at a loss."""

import re

import pytest
from report_worlds import conversation, snapshot

from writ.domains.registry import BUILT_IN
from writ.report.calls import call_of
from writ.report.head import domain_facts
from writ.report.losses import loss
from writ.report.names import argument_name, value_text, whole_name
from writ.report.reasons import Strong, because, changes, choices
from writ.runners.execute import read_stage
from writ.runners.local import run
from writ.schema import Call, Candidate, Certificate, Check, Decision, Message, Origin, ToolCall
from writ.settings import DatasetConfig, DomainsConfig, RunConfig, SimulationConfig, TasksConfig
from writ.streams import Conversation, conversations
from writ.verification.causes import CAUSES

DOMAIN = domain_facts(snapshot())
OUT = " The other one is out: it is cancelled."
CALL = Call(name="cancel_order", arguments={"order_id": "#W1001", "reason": "no longer needed"})


def candidate(label, standing, why="", choice="orders of the customer", **values):
    return Candidate(label=label, status=standing, why=why, choice=choice, values=values)


def plain_text(sentence):
    return "".join(f"message {part}" if isinstance(part, int) else part.text if isinstance(part, Strong) else part for part in sentence)


def said_of(*candidates, origins=(), call=CALL):
    certificate = Certificate(candidates=candidates, rivals=(), plan=(), burden=0, relevant=0)
    messages = [Message(role="user", content="?")] * 6 + [Message(role="tool", tool_call_id="c1")]
    messages[2] = Message(role="assistant", tool_calls=(ToolCall(id="c1", name="get_order", arguments="{}"),))
    return [plain_text(line) for line in because(Decision(outcome="act", calls=(call,), certificate=certificate), call, origins, messages)]


def test_winner_of_a_comparison_is_told_with_its_figure_and_the_next_best():
    (line,) = said_of(
        candidate("#W1001 (Drone)", "winner", "has the highest order total", total="$12.50", status="pending"),
        candidate("#W1002 (Lamp)", "runner_up", total="$9.00", status="pending"),
        candidate("#W1003 (Desk)", "excluded", "is delivered, not pending", total="$90.00"),
    )
    assert line == "Of 2 orders of the customer that fit, #W1001 (Drone) has the highest order total: $12.50. Next best: #W1002 (Lamp), $9.00."


def test_criteria_and_facts_are_told_up_to_the_one_that_decides():
    best = candidate("#W1001", "winner", "has the shortest time and then the lowest price", minutes=180, price=58, seats=4)
    (tied,) = said_of(best, candidate("WRF2", "runner_up", "$27 more", minutes=180, price=85, seats=9))
    assert tied.endswith("has the shortest time and then the lowest price: 3 h, $58. Next best: WRF2, 3 h, $85 ($27 more).")
    (first,) = said_of(best, candidate("WRF3", "runner_up", "1 h longer", minutes=240, price=8, seats=9))
    assert first.endswith("has the shortest time: 3 h. Next best: WRF3, 4 h (1 h longer).")


def test_next_best_of_the_same_number_is_told_with_what_tells_it_apart():
    best = candidate("WRF602, ATL to MSP, May 26 1:00 AM", "winner", "has the lowest price", price=62)
    (line,) = said_of(best, candidate("WRF602, ATL to MSP, May 27 1:00 AM", "runner_up", "$19 more", price=81))
    assert line.endswith("Next best: WRF602, ATL to MSP, May 27 1:00 AM, $81 ($19 more).")


@pytest.mark.parametrize(
    ("why", "told"),
    [
        ("the only trip to Boston", "Of 2 orders of the customer, #W1001 is the only trip to Boston."),
        ("holds the drone", "Of 2 orders of the customer, only #W1001 fits: it holds the drone." + OUT),
        ("insured, and the reason is health", "Of 2 orders of the customer, only #W1001 fits: insured, and the reason is health." + OUT),
        ("has the lowest price", "Of 2 orders of the customer, only #W1001 fits." + OUT),
    ],
)
def test_single_match_is_told_as_the_only_one(why, told):
    assert said_of(candidate("#W1001", "winner", why), candidate("#W1002", "excluded", "is cancelled")) == [told]


def test_what_is_out_is_told_in_groups_of_one_reason():
    out = [candidate(f"#W2{i}", "excluded", why) for i, why in enumerate(["was flown", "not insured", "was flown", "a", "b"])]
    (line,) = said_of(candidate("#W1001", "winner", "can be cancelled"), *out)
    assert line.endswith("only #W1001 fits: it can be cancelled. The other 5 are out: was flown (2); not insured (1); a (1); and 1 more.")


def test_flight_is_told_by_its_number_and_figure_before_its_date():
    call = Call(name="book", arguments={"flight_number": "WRF1"})
    best = candidate("WRF1, DTW to JFK, May 23 1:00 PM", "winner", "has the lowest price", price=75)
    (line,) = said_of(best, candidate("WRF2, DTW to JFK, May 23", "runner_up", "$2 more", price=77), call=call)
    assert line == "Of 2 orders of the customer, WRF1 has the lowest price: $75 (DTW to JFK, May 23 1:00 PM). Next best: WRF2, $77 ($2 more)."


def test_one_of_several_matches_is_told_for_the_change_that_it_is_about():
    (line,) = said_of(candidate("#W1000", "winner", "is pending"), candidate("#W1001", "winner", "is pending"), candidate("#W1002", "excluded", "x"))
    assert line == "Of 3 orders of the customer, 2 fit; of these: #W1001 is pending."


def test_choices_of_one_decision_are_told_one_after_the_other():
    other = {"choice": "versions of the lamp"}
    (line,) = said_of(
        candidate("#W1001", "winner", "the only one that holds the lamp"),
        candidate("#W1002", "excluded", "holds no lamp"),
        candidate("lamp 77001", "winner", "has the lowest price", price="$5.00", **other),
        candidate("lamp 77002", "runner_up", price="$6.00", **other),
        call=Call(name="swap", arguments={"order_id": "#W1001", "new_item_ids": ["77001"]}),
    )
    assert line.startswith("Of 2 orders of the customer, #W1001 is the only one that holds the lamp. Of 2 versions of the lamp, lamp 77001 has")


def test_change_without_a_comparison_says_where_its_values_came_from():
    origins = [
        Origin(call=5, argument="order_id", value="#W1001", kind="shown", turn=6, path="order_id"),
        Origin(call=5, argument="reason", value="x", kind="said", turn=1),
        Origin(call=5, argument="passengers.0.first_name", value="Carys", kind="said", turn=3),
        Origin(call=5, argument="passengers.0.dob", value="1957-03-22", kind="said", turn=3),
        Origin(call=5, argument="amount", value=3, kind="formula", path="what is left"),
    ]
    meant, line = said_of(candidate("#W1001 (Drone)", "winner", "is pending"), origins=origins)
    assert meant == "It is about #W1001 (Drone), which is pending."
    assert line == (
        "Nothing had to be compared: the customer said the reason x and the travelers Carys date of birth 1957-03-22 in message 1, message 3; "
        "a look-up showed the order #W1001 in message 6; worked out: the amount $3 (what is left)."
    )
    assert said_of(origins=origins) == [line]


def test_change_that_was_made_twice_says_where_it_was_first():
    made = conversation(1)
    call = made.trajectory.messages[7]
    again = made.trajectory.model_copy(update={"messages": (*made.trajectory.messages, call, *made.trajectory.messages[8:9])})
    first, second = changes(Conversation(again, made.task, made.instruction), made.verdict, DOMAIN)
    assert (first.right, second.right) == (True, False)
    assert plain_text(second.why[0]) == "It was made already in message 7."


def test_wrong_value_says_where_the_right_one_stood_and_nothing_of_what_was_chosen_rightly():
    right = Call(name="place_hold", arguments={"destination": "SFO", "flight_number": "WRF1"})
    winner = candidate("WRF1", "winner", "has the lowest price", price=75)
    certificate = Certificate(candidates=(winner, candidate("WRF2", "runner_up", price=77)), rivals=(), plan=(), burden=0, relevant=0)
    made = conversation(0, cause="wrong_argument")
    task = made.task.model_copy(update={"decisions": (Decision(outcome="act", calls=(right,), certificate=certificate),)})
    wrong = ToolCall(id="c9", name="place_hold", arguments='{"destination": "LAX", "flight_number": "WRF1"}')
    said = {"assistant": "Shall I book it to SFO?", "user": "To SFO, please."}
    for role, where in (("user", ", as the customer said in message 0."), ("assistant", ", as the agent itself had proposed in message 0.")):
        messages = (Message(role=role, content=said[role]), Message(role="assistant", tool_calls=(wrong,)))
        trajectory = made.trajectory.model_copy(update={"messages": messages})
        (change,) = changes(Conversation(trajectory, task, made.instruction), made.verdict, DOMAIN)
        assert [plain_text(line) for line in change.why] == ["Destination LAX should be SFO.", f"Right is: SFO{where}"]


def test_hidden_id_is_told_by_what_it_is_and_what_was_to_be_said_instead():
    made = conversation(1)
    trip = '{"reservation_id": "A1", "flights": [{"flight_number": "WRF462", "origin": "PHL", "destination": "MIA"}]}'
    messages = (Message(role="user", content="It has the id WRF462."), Message(role="tool", tool_call_id="c1", content=trip))
    subject = Conversation(made.trajectory.model_copy(update={"messages": messages}), made.task, made.instruction)
    check = Check(name="user_words", result="fail", cause="user_leaked", owner="user", detail="the user said WRF462", turn=0)
    line = plain_text(loss(subject, check, (), DOMAIN))
    assert "said WRF462, a flight number of reservation A1, as message 1 shows. The script does not give it to them" in line


@pytest.mark.parametrize("cause", CAUSES)
def test_every_cause_has_a_sentence_without_names_of_the_records(cause):
    made = conversation(0, cause="wrong_argument")
    subject = Conversation(made.trajectory, made.task, made.instruction)
    found = list(changes(subject, made.verdict, DOMAIN))
    for detail in ("place_hold was made", "edition_id = 'e571' comes from nowhere", "queue (2) was not said"):
        check = Check(name="x", result="fail", cause=cause, owner="agent", detail=detail, turn=7)
        line = plain_text(loss(subject, check, found, DOMAIN))
        assert line.endswith((".", "?", "!")), line
        assert "place_hold" not in line


def test_names_are_those_of_people():
    assert argument_name("passengers.1.dob") == "Traveler 2: date of birth"
    assert argument_name("payment_methods.0.payment_id") == "Payment 1: payment method"
    assert argument_name("new_item_ids.0") == "New item 1"
    assert argument_name("some_odd_id") == "Some odd"
    assert (whole_name("flights.0.date"), whole_name("zip")) == ("flights", "ZIP code")
    assert [value_text(*pair) for pair in (("price", 103), ("minutes", 95), ("seats", 1), ("departure", "13:05:00"), ("arrival", "00:30:00+1"))] == [
        "$103",
        "1 h 35 min",
        "1 seat",
        "1:05 PM",
        "12:30 AM of the next day",
    ]
    assert value_text("created_at", "2024-05-14T02:46:49") == "May 14, 2:46 AM"


FAULTS = ("wrong_argument", "missing_write", "no_confirmation", "missing_read", "premature_stop", "missing_fact", "not_declined", "extra_write")
FAULTS += ("repeated_write", "invented_id", "leaked_id", "missing_transfer", "needless_transfer", "unknown_tool", "malformed_arguments")


@pytest.mark.long
def test_all_that_a_run_over_both_domains_holds_is_said_in_words(tmp_path):
    config = RunConfig(
        out=str(tmp_path),
        domains=DomainsConfig(users=40),
        tasks=TasksConfig(workers=1, proposals_per_kind=2),
        simulation=SimulationConfig(concurrency=8, faults=dict.fromkeys(FAULTS, 0.08)),
        dataset=DatasetConfig(count=20),
    )
    finished = run(config, lambda progress: None)
    records = {
        stage: list(read_stage(finished.store, finished.plan.keys, stage)) for stage in ("domain", "tasks", "instructions", "simulate", "verify")
    }
    domains = {each.name: domain_facts(each) for each in records["domain"]}
    kinds, causes = set(), set()
    streams = conversations(records["tasks"], records["instructions"], records["simulate"])
    for subject, verdict in zip(streams, records["verify"], strict=True):
        domain = domains[subject.task.domain]
        found = list(changes(subject, verdict, domain))
        for change in found:
            lines = [plain_text(line) for line in change.why]
            assert lines, subject.trajectory.id
            assert all(line.endswith(".") and not set(re.findall(r"\w+_\w+", line)) & set(domain["tools"]) for line in lines), lines
            if change.right and change.decision is not None:
                decision = subject.task.decisions[change.decision]
                kinds.add(subject.task.wishes[change.decision].kind)
                compared = [group for group in choices(decision) if len(group) > 1]
                winners = {each.label for group in compared for each in group if each.status == "winner"}
                assert not winners or any(label.split(", ")[0] in line for label in winners for line in lines), lines
        for check in verdict.checks:
            if check.result == "fail":
                causes.add(check.cause)
                line = plain_text(loss(subject, check, found, domain))
                assert line.endswith("."), line
                assert not set(re.findall(r"\w+_\w+", line)) & {*domain["tools"], *domain["rules"]}, line
    assert set(domains) == set(BUILT_IN)
    assert len(kinds) >= 12, kinds
    assert len(causes) >= 6, causes


@pytest.mark.parametrize("arguments", ["[" * 100_000, '{"a": NaN}', "[]", "{broken", '{"a": "\\ud800"}'])
def test_arguments_that_verification_cannot_take_are_none_to_the_report_either(arguments):
    assert call_of(ToolCall(id="1", name="cancel_order", arguments=arguments)) is None

"""What a confirmation says, and where arguments come from."""

import re
from random import Random

from airline_worlds import AIRLINE, certified

ACTING = [name for name, kind in AIRLINE.kinds.items() if kind.tools]


def shown_by(world, decision):
    return [(read, world.read(read.name, read.arguments)) for read in decision.certificate.plan]


def test_summaries_state_every_argument_of_every_gold_write(database):
    for _, wished, decision, world in certified(database, kinds=ACTING, users=15):
        shown = shown_by(world, decision)
        for call in decision.calls:
            text = AIRLINE.summarize(call, shown, Random(len(shown))).lower()
            for path, forms in AIRLINE.forms(call, shown).items():
                stated = any(re.search(rf"(?<![\w.]){re.escape(form.lower())}(?!\w)", text) for form in forms)
                assert stated or not forms, (wished, path, forms, text)


def test_formulas_give_the_derived_arguments_of_gold(generated):
    derived, sums = set(), set()
    for _, wished, decision, world in certified(generated, kinds=ACTING, users=40):
        shown = shown_by(world, decision)
        for call in decision.calls:
            for path, (formula, value) in AIRLINE.formulas(call, shown, wished.slots).items():
                leaf = call.arguments
                for part in path.split("."):
                    leaf = leaf[int(part)] if part.isdigit() else leaf[part]
                derived.add((call.name, path.rsplit(".", 1)[-1]))
                assert leaf == value, (wished, path, formula)
                if path.startswith("payment_methods"):
                    way, _, total = formula.removeprefix("the whole balance, of ").removeprefix("what is left of ").partition(" = $")
                    sums.add(total)
                    figures = way.replace("$", "").replace("×", "*").replace(" for bags", "").replace(" insurance", "")
                    assert not total or eval(figures) == int(total), formula
    assert len(sums) > 5, "the sums that are told add up"
    assert derived == {
        ("book_reservation", "amount"),
        ("book_reservation", "nonfree_baggages"),
        ("update_reservation_baggages", "nonfree_baggages"),
        ("update_reservation_baggages", "total_baggages"),
        ("send_certificate", "amount"),
    }

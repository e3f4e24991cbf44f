"""`calculate` answers as Python's arithmetic does, in bounded time and memory, and executes nothing."""

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from writ.domains.calculator import calculate

FAILURES = (ValueError, TypeError, SyntaxError, ArithmeticError, RecursionError, MemoryError)


def answer(expression: object) -> str:
    try:
        return calculate(expression)
    except FAILURES as e:
        return str(e)


@pytest.mark.parametrize(
    ("expression", "value"),
    [
        ("2 + 2", "4.0"),
        ("  7", "7.0"),
        ("1 - 2 - 3", "-4.0"),
        ("2 + 3 * 4", "14.0"),
        ("(2 + 3) * 4", "20.0"),
        ("100 / 3", "33.33"),
        ("7 // 2 * 2", "6.0"),
        ("-2 ** 2", "-4.0"),
        ("2 ** -1", "0.5"),
        ("2 ** 3 ** 2", "512.0"),
        ("- - 3", "3.0"),
        (".5 + 5.", "5.5"),
        ("2.675", "2.67"),
        ("0.1 + 0.2", "0.3"),
        ("9" * 400 + ".", "inf"),
        ("1 ** 99999999", "1.0"),
        ("10 ** 400 // 10 ** 399", "10.0"),
        ("2 ** 60000 // 2 ** 59999", "2.0"),
        ("1" + " + 1" * 900, "901.0"),
        ("-" * 200 + "1", "1.0"),
    ],
)
def test_calculate_of_a_valid_expression_gives_its_value_to_two_decimals(expression, value):
    assert calculate(expression) == value


@pytest.mark.parametrize(
    ("expression", "text"),
    [
        ("2 + x", "Invalid characters in expression"),
        ("1e5", "Invalid characters in expression"),
        ("1_000", "Invalid characters in expression"),
        ("", "invalid syntax (<string>, line 0)"),
        ("2 +", "invalid syntax (<string>, line 1)"),
        ("(1", "'(' was never closed (<string>, line 1)"),
        ("1)", "unmatched ')' (<string>, line 1)"),
        ("1/0", "division by zero"),
        ("1 // 0", "integer division or modulo by zero"),
        ("0 ** -1", "0.0 cannot be raised to a negative power"),
        ("(-8) ** 0.5", "float() argument must be a string or a real number, not 'complex'"),
        ("...", "float() argument must be a string or a real number, not 'ellipsis'"),
        ("()", "float() argument must be a string or a real number, not 'tuple'"),
        ("5(3)", "'int' object is not callable"),
        ("5(*3)", "5 argument after * must be an iterable, not int"),
        ("5(**3)", "5 argument after ** must be a mapping, not int"),
        ("*1", "invalid syntax (<string>, line 1)"),
        ("(*1)", "cannot use starred expression here (<string>, line 1)"),
        ("10 ** 400", "int too large to convert to float"),
        ("2.0 ** 5000", "(34, 'Numerical result out of range')"),
        (None, "'NoneType' object is not iterable"),
        (["1"], "eval() arg 1 must be a string, bytes or code object"),
        ([1], "'in <string>' requires string as left operand, not int"),
    ],
)
def test_calculate_of_a_bad_expression_fails_in_the_benchmarks_words(expression, text):
    assert answer(expression) == text


@pytest.mark.parametrize(
    "expression", ["9**9**9**9", "*".join(["9**9999"] * 400), "(9**9999)**(9**9999)", "2**60000 * 2**60000 // 2**60000 // 2**60000", "1" * 100_000]
)
def test_calculate_refuses_what_would_grow_without_bound(expression):
    with pytest.raises((OverflowError, ValueError), match=r"too large|too long"):
        calculate(expression)


@given(st.text(alphabet="0123456789+-*/(). ", max_size=30))
def test_calculate_of_any_text_answers_or_fails_with_arithmetics_own_errors(expression):
    answer(expression)


class Number(float):
    """An oracle that computes while it writes: each operation also builds its own text."""

    text: str

    @classmethod
    def of(cls, value: float, text: str) -> "Number":
        number = cls(value)
        number.text = text
        return number


LEAVES = st.decimals(0, 999, places=2).map(lambda d: Number.of(float(d), str(d)))


def combined(parts: st.SearchStrategy[Number]) -> st.SearchStrategy[Number]:
    return st.tuples(parts, st.sampled_from("+-*/"), parts).map(lambda p: operated(*p))


def operated(left: Number, sign: str, right: Number) -> Number:
    if sign == "/":
        value = float(left) / float(right) if right else float("nan")
    else:
        value = {"+": float.__add__, "-": float.__sub__, "*": float.__mul__}[sign](float(left), float(right))
    return Number.of(value, f"({left.text} {sign} {right.text})")


@given(st.recursive(LEAVES, combined, max_leaves=12))
def test_calculate_agrees_with_floats_computed_directly(number):
    assume(float(number) == float(number))
    assert calculate(number.text) == str(round(float(number), 2))

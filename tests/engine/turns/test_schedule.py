"""Who is served next: nobody waits for somebody else's long answer, and nobody is forgotten."""

from dataclasses import dataclass

from demo.engine.turns.schedule import QUANTUM, Schedule
from demo.engine.turns.waits import Pace


@dataclass(eq=False)
class Row:
    """A claim as the schedule sees one."""

    visitor: str
    name: str = ""
    background: bool = False
    served: int = 0
    since: int = 0
    begun: bool = False
    tokens: int = 100
    unread: int = 10
    left: int = 64

    def __repr__(self) -> str:
        return self.visitor + self.name


def schedule(seats: int = 2, tokens: int = 10_000) -> Schedule[Row]:
    return Schedule(seats, tokens)


def rows(names: str, **fields: int | bool) -> list[Row]:
    """`a1 a2 b1` as rows of visitors a and b."""
    return [Row(name[0], name[1:], **fields) for name in names.split()]  # type: ignore[arg-type]


def decode(plan: Schedule[Row], tokens: int) -> None:
    """Let everybody seated draw tokens."""
    for row in plan.seated:
        row.begun, row.unread = True, 0
        row.served += tokens


def test_seats_go_round_by_visitor() -> None:
    plan = schedule(seats=4)
    plan.add(rows("a1 a2 a3 b1 b2 c1"))
    assert repr(plan.order()) == "[a1, b1, c1, a2, b2, a3]"
    assert repr(plan.advance().seated) == "(a1, b1, c1, a2)"


def test_a_visitor_without_a_seat_takes_one_from_who_has_the_most() -> None:
    plan = schedule(seats=4)
    flood = rows("a1 a2 a3 a4 a5 a6")
    plan.add(flood)
    plan.advance()
    decode(plan, 1)
    flood[2].served = 9
    plan.add(rows("b1"))
    moves = plan.advance()
    assert repr(moves.seated) == "(b1,)"
    assert moves.aside == (flood[2],)
    assert not plan.advance().seated


def test_equal_visitors_take_turns_after_a_quantum() -> None:
    plan = schedule(seats=2)
    plan.add(rows("a b c"))
    assert repr(plan.advance().seated) == "(a, b)"
    decode(plan, QUANTUM - 1)
    assert not plan.advance().seated
    decode(plan, 1)
    first = plan.advance()
    assert repr((first.seated, first.aside)) == "((c,), (a,))"
    decode(plan, QUANTUM)
    second = plan.advance()
    assert repr((second.seated, second.aside)) == "((a,), (b,))"


def test_a_new_question_comes_before_an_answer_that_was_set_aside() -> None:
    plan = schedule(seats=1)
    plan.add(rows("a"))
    plan.advance()
    decode(plan, QUANTUM)
    plan.add(rows("b"))
    plan.advance()
    decode(plan, QUANTUM)
    plan.add(rows("c"))
    assert repr(plan.order()) == "[c, a]"


def test_an_answer_that_was_set_aside_is_not_forgotten_among_new_questions() -> None:
    plan = schedule(seats=1)
    plan.add(rows("a", begun=True))
    (old,) = plan.waiting
    plan.add(rows("b"))
    seated = []
    for number in range(200):
        seated += plan.advance().seated
        decode(plan, QUANTUM)
        plan.add([Row(f"new{number}")])
    assert old in seated


def test_who_was_answered_lately_waits_behind_who_was_not() -> None:
    plan = schedule(seats=1)
    first, second, other = rows("a1 a2 b1")
    plan.add([first, second])
    plan.advance()
    plan.add([other])
    plan.advance()
    plan.remove(first)
    assert repr(plan.order()) == "[b1, a2]"


def test_scoring_waits_for_every_answer_and_gives_its_seat_up() -> None:
    plan = schedule(seats=2)
    plan.add(rows("s1 s2 s3", background=True))
    plan.advance()
    plan.add(rows("a1"))
    assert repr(plan.order()) == "[a1, s3]"
    moves = plan.advance()
    assert repr((moves.seated, moves.aside)) == "((a1,), (s2,))"


def test_memory_for_caches_bounds_the_seats_but_never_stands_still() -> None:
    plan = schedule(seats=4, tokens=250)
    plan.add(rows("a b c"))
    assert repr(plan.advance().seated) == "(a, b)"
    large = schedule(tokens=50)
    large.add(rows("a b"))
    assert repr(large.advance().seated) == "(a,)"


def test_an_answer_that_was_set_aside_goes_on_while_a_new_one_lacks_memory() -> None:
    plan = schedule(seats=2, tokens=150)
    plan.add(rows("a", begun=True))
    plan.add(rows("b"))
    assert repr(plan.order()) == "[b, a]"
    assert repr(plan.advance().seated) == "(a,)"


def test_the_wait_grows_with_the_work_before_it() -> None:
    plan, pace = schedule(seats=1), Pace()
    pace.step_seconds, pace.read_seconds, pace.answer_tokens = 0.1, 0.01, 50.0
    plan.add(rows("a1 a2 a3"))
    plan.advance()
    decode(plan, 1)
    waits = list(pace.waits(plan).values())
    assert [round(seconds, 3) for seconds in waits] == [5.1, 10.2]
    pace.stepped(0.3)
    assert next(iter(pace.waits(plan).values())) > waits[0]


def test_the_wait_of_a_visitor_without_a_seat_is_at_most_a_quantum() -> None:
    plan, pace = schedule(seats=1), Pace()
    pace.step_seconds, pace.read_seconds = 0.1, 0.0
    plan.add(rows("a b", left=512))
    plan.advance()
    decode(plan, 10)
    (seconds,) = pace.waits(plan).values()
    assert round(seconds, 3) == round((QUANTUM - 10) * 0.1, 3)


def test_the_waits_of_a_class_are_those_that_come_true() -> None:
    plan, pace = schedule(seats=2), Pace()
    pace.step_seconds, pace.read_seconds, pace.answer_tokens = 1.0, 0.0, 128.0
    visitors = [Row(name, left=128) for name in "abcdefghijkl"]
    plan.add(visitors)
    told = {**dict.fromkeys(visitors, 0.0), **pace.waits(plan)}
    came: dict[Row, int] = {}
    for step in range(400):
        plan.advance()
        for row in plan.seated:
            came.setdefault(row, step)
            row.left -= 1
        decode(plan, 1)
        for row in [row for row in plan.seated if not row.left]:
            plan.remove(row)
    for row in visitors:
        assert abs(came[row] - told[row]) <= 3, (row, came[row], told[row])

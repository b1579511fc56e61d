"""`resilience without`: what opens if somebody is out, and who may cover. Nothing is recorded.

Belongs here: the command and how its answer reads. Does not belong here: finding it (actions.ask_without).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from resilience_assets.cli.dates import DATE, epoch_day
from resilience_assets.cli.errors import debug_option

if TYPE_CHECKING:
    from resilience_assets.actions.ask_without import Answer
    from resilience_assets.resources.deployment import Deployment

MOVES = {"none": "STATIC", "free": "CALL_IN", "all": "FULL"}
SEATS_SHOWN = 15
"""Seats that are spelled out; --all shows the rest."""


@click.command()
@click.argument("people", nargs=-1, required=True)
@click.option("--from", "first", type=DATE, help="First date (YYYY-MM-DD, today, tomorrow); today when left out.")
@click.option("--to", "last", type=DATE, help="Last date; the health check's horizon from the first when left out.")
@click.option(
    "--moves", type=click.Choice(list(MOVES)), default="all", show_default=True,
    help="Who may move: none (as rostered), free (free people step in, off people are called in), all (anyone at work too).",
)  # fmt: skip
@click.option("--program", metavar="NAME", help="The people's program, where the ids alone do not say it.")
@click.option("--all", "everything", is_flag=True, help="Every seat, not only the first.")
@click.option("--json", "as_json", is_flag=True, help="Print the answer as JSON.")
@debug_option
def without(
    people: tuple[str, ...], first: str | None, last: str | None, moves: str, program: str | None, everything: bool, as_json: bool
) -> None:
    """What opens if these PEOPLE (ids or names) are out together, and who may cover.

    It is a question: nothing is recorded (that is `absent`).
    """
    from resilience_assets.actions.ask_without import ask_without
    from resilience_assets.analysis.contingency.masks import Moves
    from resilience_assets.cli.terminal import emit_json
    from resilience_assets.resources.deployment import deployment

    here = deployment()
    days = _days(here, people[0], program, first, last)
    answer = ask_without(
        here.database, here.policies(), people, first=days[0], last=days[1], moves=Moves[MOVES[moves]],
        now=here.clock.now(), program=program,
    )  # fmt: skip
    if as_json:
        emit_json(answer.found.document() | {"stale": answer.stale})
    else:
        _show(answer, everything)


def _days(here: Deployment, person: str, program: str | None, *words: str | None) -> list[int | None]:
    """Epoch days of the dates given, in the time zone of the person's program."""
    from resilience_assets.actions.people import find_person

    with here.database.read() as connection:
        zone = find_person(connection, person, program).time_zone
    now = here.clock.now()
    return [None if word is None else epoch_day(word, now, zone) for word in words]


def _show(answer: Answer, everything: bool) -> None:
    from resilience_assets.cli.terminal import console
    from resilience_assets.domain.days import day_text

    out, found = console(), answer.found
    who = ", ".join(one.code for one in answer.people)
    out.print(f"Without {who} ({answer.people[0].program}), {day_text(answer.first)} to {day_text(answer.last)}: {_verdict(answer)}", style="bold")
    if answer.stale:
        out.print(answer.stale, style="yellow")
    missing = answer.last - answer.first + 1 - found.window.days
    if missing:
        out.print(f"{missing} of these dates are not on file: nothing is known of them.", style="yellow")
    rows = _rows(answer)
    for row in rows if everything else rows[:SEATS_SHOWN]:
        _show_seat(out, row)
    if not everything and len(rows) > SEATS_SHOWN:
        out.print(f"{len(rows) - SEATS_SHOWN} more seats (--all)", style="bright_black")


def _verdict(answer: Answer) -> str:
    """The answer in one sentence, against the safe minimum."""
    from resilience_assets.cli.terminal import counted

    totals, moves = answer.found.totals()["minimum"], answer.found.moves
    already, rostered, after = totals["open_now"], totals["open_as_rostered"], totals["open_after"]
    opens = rostered - already
    if not opens:
        return "no seat falls below its minimum" + (f" ({already} {'is' if already == 1 else 'are'} open already)" if already else "")
    words = f"{counted(opens, 'seat')} fall{'s' if opens == 1 else ''} below the minimum"
    if not moves:
        return f"{words} as rostered"
    of = "them" if not already else f"the {rostered} then open"
    left = f"{after} of {of} stay{'s' if after == 1 else ''} open" if after else "all can be covered"
    return f"{words}; {moves.text}: {left}"


def _rows(answer: Answer) -> list[dict[str, Any]]:
    """Seats that the loss opens, and those that are left open instead; below the minimum first, by date."""
    columns = answer.found.seats_columns()
    rows = [dict(zip(columns, values, strict=True)) for values in zip(*columns.values(), strict=True)]
    opened = [
        row for row in rows
        if row["open_as_rostered"] > row["open_now"] or row["required_as_rostered"] > row["required_now"]
        or row["open_after"] > row["open_as_rostered"]
    ]  # fmt: skip
    return sorted(opened, key=lambda row: (row["open_as_rostered"] == 0, row["day"]))


def _show_seat(out: Any, row: dict[str, Any]) -> None:
    from rich.text import Text

    from resilience_assets.cli.terminal import show_points
    from resilience_assets.domain.days import date_of, day_text

    below, left = row["open_as_rostered"], row["open_after"]
    short = f"{below} below the minimum" if below else f"{row['required_as_rostered']} open above the minimum"
    if left > below:
        short = f"{left} below the minimum, left open for a more protected seat"
    said = Text(short, "red" if left else "yellow")
    if below and left <= below:
        said.append(f", {left} stay{'s' if left == 1 else ''} open" if left else ", can be covered")
    out.print(Text.assemble(f"\n{date_of(row['day']):%a} {day_text(row['day'])} {row['slot']}  {row['post']}: ", said))
    nobody = "nobody may cover within the rules" if left or not below else "only by moving several people at once"
    show_points(out, row["covers"] or [nobody])

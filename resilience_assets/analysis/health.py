"""The health of a program: one status, the lines of defence, what to do now, what to watch.

Belongs here: the rules that turn figures into a status, its inertia, the advice in plain sentences.
Does not belong here: the figures (coverage, utilization, redundancy, duty_hours), storing them.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from resilience_assets.analysis.coverage import Coverage
from resilience_assets.analysis.duty_hours import Breach
from resilience_assets.analysis.redundancy import ServiceRedundancy
from resilience_assets.analysis.utilization import Utilization
from resilience_assets.domain import states
from resilience_assets.domain.days import date_of, day_text
from resilience_assets.domain.nouns import Tier
from resilience_assets.domain.roster import Roster
from resilience_assets.domain.scales import DefenseLevel, LoadShedding, PhaseRisk, Redundancy, Status, UtilizationLevel
from resilience_assets.policy.model import Policy

WEEKDAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")


@dataclass(frozen=True, slots=True)
class Health:
    """The result of one health check of one program.

    `status` is what is shown (with inertia), `raw_status` what this reading alone says. None means
    unknown: `n1_pass` and `n2_pass` without a contingency report, all figures when there is no roster to judge. Sentences name services, dates and slots, and people by id.
    """

    status: Status
    raw_status: Status
    utilization: float | None
    utilization_level: UtilizationLevel
    coverage: float | None
    defense_level: DefenseLevel
    n1_pass: bool | None
    n2_pass: bool | None
    phase_risk: PhaseRisk
    load_shedding: LoadShedding | None
    active_fallbacks: tuple[str, ...]
    immediate_actions: tuple[str, ...]
    watch_items: tuple[str, ...]


def raw_status(
    utilization: UtilizationLevel,
    defense: DefenseLevel,
    n1_pass: bool | None,
    n2_pass: bool | None,
    phase: PhaseRisk = PhaseRisk.UNKNOWN,
) -> Status:
    """What one reading says; the first rule that holds.

    EMERGENCY: utilization BLACK, or defence EMERGENCY. CRITICAL: RED, CONTAINMENT, or critical
    phase risk. DEGRADED: ORANGE,
    CONTROL or SAFETY_SYSTEMS, or N-1 fails. WARNING: YELLOW, or N-2 fails. UNKNOWN when utilization or
    defence is. An N-1 or N-2 of None neither passes nor fails, and unknown phase risk is none.
    """
    if utilization == UtilizationLevel.UNKNOWN or defense == DefenseLevel.UNKNOWN:
        return Status.UNKNOWN
    if utilization == UtilizationLevel.BLACK or defense == DefenseLevel.EMERGENCY:
        return Status.EMERGENCY
    if utilization == UtilizationLevel.RED or defense == DefenseLevel.CONTAINMENT or phase == PhaseRisk.CRITICAL:
        return Status.CRITICAL
    weakened = defense in (DefenseLevel.CONTROL, DefenseLevel.SAFETY_SYSTEMS)
    if utilization == UtilizationLevel.ORANGE or weakened or n1_pass is False:
        return Status.DEGRADED
    if utilization == UtilizationLevel.YELLOW or n2_pass is False:
        return Status.WARNING
    return Status.HEALTHY


def next_status(previous: Status | None, readings: Sequence[Status], coverage: float | None, policy: Policy) -> Status:
    """The status to show after a reading. `readings` are raw, oldest first, this one last.

    Up when the last `readings_up` are all worse than what is shown, to the mildest of them; down when
    the last `readings_down` are all better, to the worst of them. At once, to the reading itself:
    when it is worse and coverage is below `immediate_below_coverage`; when nothing or UNKNOWN was
    shown; when it is UNKNOWN (grey never waits). ValueError without a reading.
    """
    if not readings:
        raise ValueError("next_status needs at least the reading of now")
    now = readings[-1]
    if previous is None or Status.UNKNOWN in (previous, now):
        return now
    if now > previous and coverage is not None and coverage < policy.health.immediate_below_coverage:
        return now
    up, down = readings[-policy.health.readings_up :], readings[-policy.health.readings_down :]
    if len(up) == policy.health.readings_up and all(previous < one < Status.UNKNOWN for one in up):
        return min(up)
    if len(down) == policy.health.readings_down and all(one < previous for one in down):
        return max(down)
    return previous


def advised_load_shedding(used: Utilization, policy: Policy) -> LoadShedding | None:
    """The lowest level at which what is not paused fits the people available; None when unknown.

    Fits means required person-slots <= `fits_up_to` x available, over the whole horizon; CRITICAL when
    even that is not enough, for tier 1 is never paused.
    """
    covered = used.covered
    if used.level_of_program() == UtilizationLevel.UNKNOWN:
        return None
    room = policy.load_shedding.fits_up_to * float(used.available[0, 0])
    by_tier = {
        int(key): int(required)
        for kind, key, required in zip(covered.scopes.kind, covered.scopes.key, covered.required[:, 0], strict=True)
        if kind == "tier"
    }
    for level in LoadShedding:
        paused = policy.load_shedding.paused(level)
        if sum(required for tier, required in by_tier.items() if tier not in paused) <= room + 1e-9:
            return level
    return LoadShedding.CRITICAL


def assess(
    roster: Roster,
    policy: Policy,
    used: Utilization,
    services: Sequence[ServiceRedundancy],
    *,
    breaches: Sequence[Breach] = (),
    n1_pass: bool | None = None,
    n2_pass: bool | None = None,
    phase: PhaseRisk = PhaseRisk.UNKNOWN,
    phase_reasons: Sequence[str] = (),
    previous: Status | None = None,
    recent: Sequence[Status] = (),
    active_fallbacks: Sequence[str] = (),
) -> Health:
    """The health of a program from the figures of one horizon.

    `previous` is the status shown last, `recent` the raw readings before this one, oldest first. Dates
    of the horizon that are not on file make a healthy reading a warning, and so does a seat open below its minimum
    as rostered, though somebody could be moved there; a horizon without any
    demand, or wholly off file, is UNKNOWN.
    """
    covered = used.covered
    share = covered.of_program()
    defense, level = policy.defense.level(share), used.level_of_program()
    raw = raw_status(level, defense, n1_pass, n2_pass, phase)
    if raw == Status.HEALTHY and (covered.missing_days or covered.open_below_minimum[0, 0]):
        raw = Status.WARNING
    shedding = advised_load_shedding(used, policy)
    return Health(
        status=next_status(previous, [*recent, raw], share, policy),
        raw_status=raw,
        utilization=used.of_program(),
        utilization_level=level,
        coverage=share,
        defense_level=defense,
        n1_pass=n1_pass,
        n2_pass=n2_pass,
        load_shedding=shedding,
        active_fallbacks=tuple(active_fallbacks),
        phase_risk=phase,
        immediate_actions=(*_immediate_actions(roster, policy, used, shedding), *_phase_sentences(phase, phase_reasons)),
        watch_items=tuple(_watch_items(roster, policy, used, services, breaches, n1_pass, n2_pass)),
    )


def unknown_health(reason: str, active_fallbacks: Sequence[str] = ()) -> Health:
    """The health of a program whose roster is missing or was refused: nothing is known, and why."""
    return Health(
        status=Status.UNKNOWN,
        raw_status=Status.UNKNOWN,
        utilization=None,
        utilization_level=UtilizationLevel.UNKNOWN,
        coverage=None,
        defense_level=DefenseLevel.UNKNOWN,
        n1_pass=None,
        n2_pass=None,
        phase_risk=PhaseRisk.UNKNOWN,
        load_shedding=None,
        active_fallbacks=tuple(active_fallbacks),
        immediate_actions=(reason,),
        watch_items=(),
    )


def _immediate_actions(roster: Roster, policy: Policy, used: Utilization, shedding: LoadShedding | None) -> list[str]:
    """What cannot wait: seats below the minimum, earliest first; what to pause when demand does not fit."""
    covered = used.covered
    out = _missing_sentences(covered)
    cells = covered.cells
    short = np.flatnonzero(cells.open_below_minimum > 0)
    for i in short[: policy.health.sentences]:
        post = roster.posts[cells.post[i]]
        missing = int(cells.open_below_minimum[i])
        out.append(
            f"{_service_name(roster, int(cells.post[i]))}: {missing} more {post.role or post.id} needed on "
            f"{_when(roster, int(cells.day[i]), int(cells.slot[i]))} "
            f"({int(cells.filled[i])} of {int(cells.required[i])} seated, safe minimum {int(cells.minimum[i])})"
        )
    if short.size > policy.health.sentences:
        out.append(
            f"{short.size - policy.health.sentences} more cells are below their minimum in these {covered.days} days"
        )
    if shedding:
        paused = policy.load_shedding.paused(shedding)
        names = [service.name or service.id for service in roster.services if service.tier in paused]
        tiers = ", ".join(Tier(tier).text for tier in paused)
        out.append(
            f"Pause {tiers}{' (' + ', '.join(names) + ')' if names else ''}: "
            f"{int(covered.required[0, 0])} person-slots are required and {used.available[0, 0]:.0f} available"
        )
    elif used.level_of_program() in (UtilizationLevel.RED, UtilizationLevel.BLACK):
        out.append(
            f"Add no work: utilization is {used.rate[0, 0]:.0%}, "
            f"the safe load is {used.safe_load[0, 0]:.0f} person-slots and {int(covered.required[0, 0])} are required"
        )
    return out


def _phase_sentences(phase: PhaseRisk, reasons: Sequence[str]) -> list[str]:
    """What high or critical phase risk asks for."""
    if phase not in (PhaseRisk.HIGH, PhaseRisk.CRITICAL):
        return []
    return [f"Take on no more work and approve no more leave: phase risk is {phase.text} ({'; '.join(reasons)})"]


def _missing_sentences(covered: Coverage) -> list[str]:
    if covered.days == 0:
        return ["No date of this horizon is on file: import the roster of the coming days"]
    if not covered.required[0, 0]:
        return ["Nothing is required in this horizon: import the demand of the coming days"]
    return []


def _watch_items(
    roster: Roster,
    policy: Policy,
    used: Utilization,
    services: Sequence[ServiceRedundancy],
    breaches: Sequence[Breach],
    n1_pass: bool | None,
    n2_pass: bool | None,
) -> list[str]:
    covered, out = used.covered, []
    if covered.missing_days and covered.days:
        out.append(f"{covered.missing_days} dates of this horizon are not on file: nothing is known of them")
    if used.level_of_program() in (UtilizationLevel.YELLOW, UtilizationLevel.ORANGE):
        out.append(f"Utilization is {used.rate[0, 0]:.0%} ({used.level_of_program().text})")
    if covered.required[0, 0] and used.buffer[0, 0] < policy.health.low_buffer:
        out.append(f"Only {used.buffer[0, 0]:.0%} of the available person-slots are left below the safe load")
    out += _open_above_minimum(roster, covered, policy)
    out += _thin_services(roster, services, policy)
    out += _unreadable(covered)
    out += _breach_sentences(breaches, policy)
    for name, passed in (("N-1", n1_pass), ("N-2", n2_pass)):
        if passed is None:
            out.append(f"{name} is not known: nothing is asked for, dates are not on file, or the report could not be computed")
        elif not passed:
            out.append(
                f"{name} fails: a loss of {'one person' if name == 'N-1' else 'two people'} opens a seat of a minimum"
            )
    return out


def _open_above_minimum(roster: Roster, covered: Coverage, policy: Policy) -> list[str]:
    """Seats that are open but not below the minimum, one sentence a service."""
    cells = covered.cells
    beyond = cells.open_seats - cells.open_below_minimum
    out = []
    for s in range(len(roster.services)):
        mine = [i for i in np.flatnonzero(beyond > 0) if roster.posts[cells.post[i]].service == s]
        if mine:
            first = mine[0]
            where = _when(roster, int(cells.day[first]), int(cells.slot[first]))
            name = roster.services[s].name or roster.services[s].id
            count = int(beyond[mine].sum())
            out.append(f"{name}: {count} seat{'s' if count > 1 else ''} open above the minimum, first on {where}")
    return out[: policy.health.sentences] + _and_more(len(out), policy.health.sentences, "services have open seats")


def _thin_services(roster: Roster, services: Sequence[ServiceRedundancy], policy: Policy) -> list[str]:
    """Services that hold their minimum with nobody to spare, or do not; the worst first."""
    names = {service.id: service.name or service.id for service in roster.services}
    thin = [one for one in services if one.level in (Redundancy.N_PLUS_0, Redundancy.BELOW)]
    out = []
    for one in sorted(thin, key=lambda one: (-one.level, one.tier)):
        call_in = f"; with call-in {one.call_in_level.text}" if one.call_in_level != one.level else ""
        date = "" if one.day is None else f"{_date(one.day)} {one.slot}"
        out.append(
            f"{names[one.service]} is {one.level.text} on {date}: {one.present} present, minimum {one.minimum}{call_in}"
        )
    return out[: policy.health.sentences] + _and_more(
        len(out), policy.health.sentences, "services have nobody to spare"
    )


def _unreadable(covered: Coverage) -> list[str]:
    count = int((covered.window.state == states.UNKNOWN).sum())
    return [f"{count} cells of the roster could not be read and count as not filled"] if count else []


def _breach_sentences(breaches: Sequence[Breach], policy: Policy) -> list[str]:
    out = []
    for one in breaches[: policy.health.sentences]:
        who = one.person or f"{one.service} {one.slot}"
        section = f" {one.section}" if one.section else ""
        out.append(
            f"{who} breaks {one.rule}{section} ({one.force}): {one.measured:.4g} against {one.limit:.4g}, "
            f"{day_text(one.first_day)} to {day_text(one.last_day)}"
        )
    left = Counter(one.rule for one in breaches[policy.health.sentences :])
    return out + [f"{count} more breaches of {rule}" for rule, count in left.items()]


def _and_more(count: int, shown: int, text: str) -> list[str]:
    return [f"{count - shown} more {text}"] if count > shown else []


def _service_name(roster: Roster, post: int) -> str:
    service = roster.services[roster.posts[post].service]
    return service.name or service.id


def _when(roster: Roster, day: int, slot: int) -> str:
    return f"{_date(day)} {roster.program.slot_types[slot].code}"


def _date(day: int) -> str:
    """'Tue 2025-03-04', in no locale but this."""
    return f"{WEEKDAYS[date_of(day).weekday()]} {day_text(day)}"

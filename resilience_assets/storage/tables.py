"""Every table of the database, typed.

Belongs here: columns, keys, indexes. Does not belong here: queries (the module of each subject).

Days are epoch days (domain.days), instants UTC. A fact row is never deleted while its provenance
may be asked for: it is closed by the batch that superseded it, and open rows are the roster.
"""

from __future__ import annotations

import datetime as dt
from typing import Any, ClassVar

from sqlalchemy import (
    JSON,
    Boolean,
    CheckConstraint,
    DateTime,
    Dialect,
    Float,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Text,
    TypeDecorator,
    UniqueConstraint,
    text,
)  # fmt: skip
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

NAMING = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_name)s",
    "pk": "pk_%(table_name)s",
}


class UtcDateTime(TypeDecorator[dt.datetime]):
    """An aware instant, stored as UTC without zone, so that SQLite and PostgreSQL agree."""

    impl = DateTime
    cache_ok = True

    def process_bind_param(self, value: dt.datetime | None, dialect: Dialect) -> dt.datetime | None:
        """UTC without zone; a naive instant is refused."""
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError(f"instant {value} has no time zone; pass an aware datetime")
        return value.astimezone(dt.UTC).replace(tzinfo=None)

    def process_result_value(self, value: dt.datetime | None, dialect: Dialect) -> dt.datetime | None:
        """The same instant, aware."""
        return None if value is None else value.replace(tzinfo=dt.UTC)


class Base(DeclarativeBase):
    """The schema; `Base.metadata` is what the migrations must add up to."""

    metadata = MetaData(naming_convention=NAMING)
    type_annotation_map: ClassVar[dict[Any, Any]] = {dt.datetime: UtcDateTime(), dict[str, Any]: JSON, list[Any]: JSON}


# --- programs and how they divide their day -------------------------------------------------


class Program(Base):
    """`revision` is raised by every write to the program's facts or overlay; `checked_revision` is
    the newest revision that a scheduled or clicked health check has seen."""

    __tablename__ = "program"
    id: Mapped[int] = mapped_column(primary_key=True)
    code: Mapped[str] = mapped_column(String(64), unique=True)
    name: Mapped[str] = mapped_column(String(200))
    time_zone: Mapped[str] = mapped_column(String(64))
    revision: Mapped[int] = mapped_column(default=0)
    checked_revision: Mapped[int] = mapped_column(default=0)
    created_at: Mapped[dt.datetime]
    imported_at: Mapped[dt.datetime | None]


class SlotType(Base):
    """A slot type of a program; `position` is its place in the day."""

    __tablename__ = "slot_type"
    __table_args__ = (UniqueConstraint("program_id", "code"),)
    id: Mapped[int] = mapped_column(primary_key=True)
    program_id: Mapped[int] = mapped_column(ForeignKey("program.id"))
    position: Mapped[int]
    code: Mapped[str] = mapped_column(String(64))
    start: Mapped[int]
    end: Mapped[int]


class Shift(Base):
    """A shift of a program; minutes from local midnight."""

    __tablename__ = "shift"
    __table_args__ = (UniqueConstraint("program_id", "code"),)
    id: Mapped[int] = mapped_column(primary_key=True)
    program_id: Mapped[int] = mapped_column(ForeignKey("program.id"))
    code: Mapped[str] = mapped_column(String(64))
    name: Mapped[str] = mapped_column(String(200))
    start: Mapped[int]
    end: Mapped[int]


class ForbiddenSuccession(Base):
    """Two shifts that nobody may work on two dates in a row."""

    __tablename__ = "forbidden_succession"
    id: Mapped[int] = mapped_column(primary_key=True)
    program_id: Mapped[int] = mapped_column(ForeignKey("program.id"), index=True)
    first_shift_id: Mapped[int] = mapped_column(ForeignKey("shift.id"))
    next_shift_id: Mapped[int] = mapped_column(ForeignKey("shift.id"))


# --- where facts come from ------------------------------------------------------------------


class ImportBatch(Base):
    """One import that changed or confirmed something; `report` is what the importer was told."""

    __tablename__ = "import_batch"
    id: Mapped[int] = mapped_column(primary_key=True)
    program_id: Mapped[int] = mapped_column(ForeignKey("program.id"), index=True)
    kind: Mapped[str] = mapped_column(String(16))
    name: Mapped[str] = mapped_column(String(300))
    content_hash: Mapped[str] = mapped_column(String(64))
    imported_at: Mapped[dt.datetime]
    imported_by: Mapped[str] = mapped_column(String(200))
    report: Mapped[dict[str, Any]]


class ImportFile(Base):
    """A file of a batch, as the importer named it."""

    __tablename__ = "import_file"
    id: Mapped[int] = mapped_column(primary_key=True)
    batch_id: Mapped[int] = mapped_column(ForeignKey("import_batch.id"), index=True)
    name: Mapped[str] = mapped_column(String(300))


# --- who and what: stable identities, and the records that describe them over time ------------


class Person(Base):
    """Who a fact speaks of, for ever; the open PersonRecord says what holds of them."""

    __tablename__ = "person"
    __table_args__ = (UniqueConstraint("program_id", "code"),)
    id: Mapped[int] = mapped_column(primary_key=True)
    program_id: Mapped[int] = mapped_column(ForeignKey("program.id"))
    code: Mapped[str] = mapped_column(String(64))


class Service(Base):
    """The identity of a service."""

    __tablename__ = "service"
    __table_args__ = (UniqueConstraint("program_id", "code"),)
    id: Mapped[int] = mapped_column(primary_key=True)
    program_id: Mapped[int] = mapped_column(ForeignKey("program.id"))
    code: Mapped[str] = mapped_column(String(64))


class Post(Base):
    """The identity of a post."""

    __tablename__ = "post"
    __table_args__ = (UniqueConstraint("program_id", "code"),)
    id: Mapped[int] = mapped_column(primary_key=True)
    program_id: Mapped[int] = mapped_column(ForeignKey("program.id"))
    code: Mapped[str] = mapped_column(String(130))


class _Fact:
    """Columns of every fact: program, provenance, and the batch that superseded it (open if null)."""

    id: Mapped[int] = mapped_column(primary_key=True)
    program_id: Mapped[int] = mapped_column(Integer)
    batch_id: Mapped[int] = mapped_column(Integer)
    file_id: Mapped[int] = mapped_column(Integer)
    row: Mapped[int] = mapped_column(Integer)
    column: Mapped[str] = mapped_column(String(64))
    closed_batch_id: Mapped[int | None] = mapped_column(Integer)


def _open_index(table: str) -> Index:
    return Index(
        f"ix_{table}_open", "program_id",
        sqlite_where=text("closed_batch_id IS NULL"), postgresql_where=text("closed_batch_id IS NULL"),
    )  # fmt: skip


class PersonRecord(_Fact, Base):
    """What holds of a person: the only place where a name is kept."""

    __tablename__ = "person_record"
    __table_args__ = (_open_index("person_record"),)
    person_id: Mapped[int] = mapped_column(ForeignKey("person.id"))
    name: Mapped[str] = mapped_column(String(200))
    role: Mapped[str] = mapped_column(String(64))
    fte: Mapped[float] = mapped_column(Float)
    team: Mapped[str] = mapped_column(String(64))
    home_region: Mapped[str] = mapped_column(String(64))
    starts: Mapped[int]
    ends: Mapped[int]


class ServiceRecord(_Fact, Base):
    """What holds of a service."""

    __tablename__ = "service_record"
    __table_args__ = (_open_index("service_record"),)
    service_id: Mapped[int] = mapped_column(ForeignKey("service.id"))
    name: Mapped[str] = mapped_column(String(200))
    tier: Mapped[int]


class PostRecord(_Fact, Base):
    """What holds of a post."""

    __tablename__ = "post_record"
    __table_args__ = (_open_index("post_record"),)
    post_id: Mapped[int] = mapped_column(ForeignKey("post.id"))
    service_id: Mapped[int] = mapped_column(ForeignKey("service.id"))
    role: Mapped[str] = mapped_column(String(64))


class Qualification(_Fact, Base):
    """Person may hold post, first to last day (inclusive)."""

    __tablename__ = "qualification"
    __table_args__ = (_open_index("qualification"),)
    person_id: Mapped[int]
    post_id: Mapped[int]
    first: Mapped[int]
    last: Mapped[int]


class Demand(_Fact, Base):
    """Heads required at a post on one date and slot; overrides every weekly rule."""

    __tablename__ = "demand"
    __table_args__ = (_open_index("demand"),)
    post_id: Mapped[int]
    day: Mapped[int]
    slot_id: Mapped[int]
    required: Mapped[int]
    minimum: Mapped[int]


class DemandRule(_Fact, Base):
    """Heads required at a post on every such weekday (0 = Monday) and slot between two dates."""

    __tablename__ = "demand_rule"
    __table_args__ = (_open_index("demand_rule"),)
    post_id: Mapped[int]
    weekday: Mapped[int]
    slot_id: Mapped[int]
    required: Mapped[int]
    minimum: Mapped[int]
    first: Mapped[int]
    last: Mapped[int]


class Assignment(_Fact, Base):
    """`cell` is the id of the post held, or a negative code of domain.states (no post)."""

    __tablename__ = "assignment"
    __table_args__ = (_open_index("assignment"),)
    person_id: Mapped[int]
    day: Mapped[int]
    shift_id: Mapped[int]
    cell: Mapped[int]


class Absence(_Fact, Base):
    """Person away, first to last day (inclusive), as the source says."""

    __tablename__ = "absence"
    __table_args__ = (_open_index("absence"),)
    person_id: Mapped[int]
    first: Mapped[int]
    last: Mapped[int]
    kind: Mapped[str] = mapped_column(String(64))
    approved: Mapped[bool] = mapped_column(Boolean)


class ReportedAbsence(Base):
    """The overlay: an absence reported here. `state` is 'open' (not yet in the source), 'in source',
    'overruled' (the source was accepted against it) or 'undone'. Rows are never deleted."""

    __tablename__ = "reported_absence"
    id: Mapped[int] = mapped_column(primary_key=True)
    program_id: Mapped[int] = mapped_column(ForeignKey("program.id"), index=True)
    person_id: Mapped[int] = mapped_column(ForeignKey("person.id"))
    first: Mapped[int]
    last: Mapped[int]
    kind: Mapped[str] = mapped_column(String(64))
    state: Mapped[str] = mapped_column(String(16))
    reported_at: Mapped[dt.datetime]
    reported_by: Mapped[str] = mapped_column(String(200))
    ended_at: Mapped[dt.datetime | None]
    ended_by: Mapped[str | None] = mapped_column(String(200))
    ended_batch_id: Mapped[int | None] = mapped_column(ForeignKey("import_batch.id"))


# --- frozen rosters and policies --------------------------------------------------------------


class RosterVersion(Base):
    """One roster, stored once under its content hash (versions.py says how it is coded)."""

    __tablename__ = "roster_version"
    __table_args__ = (UniqueConstraint("program_id", "content_hash"),)
    id: Mapped[int] = mapped_column(primary_key=True)
    program_id: Mapped[int] = mapped_column(ForeignKey("program.id"))
    content_hash: Mapped[str] = mapped_column(String(64))
    first_day: Mapped[int]
    days: Mapped[int]
    created_at: Mapped[dt.datetime]
    blob: Mapped[bytes] = mapped_column(LargeBinary)


class Freeze(Base):
    """A revision looked at: accepted as a version, or refused with its findings."""

    __tablename__ = "freeze"
    __table_args__ = (UniqueConstraint("program_id", "revision"), Index("ix_freeze_program_id_frozen_at", "program_id", "frozen_at"))
    id: Mapped[int] = mapped_column(primary_key=True)
    program_id: Mapped[int] = mapped_column(ForeignKey("program.id"))
    revision: Mapped[int]
    frozen_at: Mapped[dt.datetime]
    accepted: Mapped[bool]
    version_id: Mapped[int | None] = mapped_column(ForeignKey("roster_version.id"))
    content_hash: Mapped[str] = mapped_column(String(64))
    findings: Mapped[list[Any]]


class PolicyVersion(Base):
    """The merged text of a policy, under its hash."""

    __tablename__ = "policy_version"
    hash: Mapped[str] = mapped_column(String(64), primary_key=True)
    text: Mapped[str] = mapped_column(Text)
    first_used_at: Mapped[dt.datetime]


# --- results ----------------------------------------------------------------------------------


class Result(Base):
    """One computed result, keyed by all that made it; its rows are in the table of its `kind`."""

    __tablename__ = "result"
    __table_args__ = (UniqueConstraint("program_id", "kind", "version_id", "policy_hash", "code_version", "local_day"),)
    id: Mapped[int] = mapped_column(primary_key=True)
    program_id: Mapped[int] = mapped_column(ForeignKey("program.id"))
    kind: Mapped[str] = mapped_column(String(32))
    version_id: Mapped[int] = mapped_column(ForeignKey("roster_version.id"))
    policy_hash: Mapped[str] = mapped_column(String(64))
    code_version: Mapped[str] = mapped_column(String(16))
    local_day: Mapped[int]
    computed_at: Mapped[dt.datetime]


class UtilizationRow(Base):
    """Person-slots of one scope (program, service, tier, day) over the window from `Result.local_day`."""

    __tablename__ = "utilization_row"
    id: Mapped[int] = mapped_column(primary_key=True)
    result_id: Mapped[int] = mapped_column(ForeignKey("result.id"), index=True)
    scope: Mapped[str] = mapped_column(String(16))
    key: Mapped[str] = mapped_column(String(64))
    day: Mapped[int | None]
    required: Mapped[float]
    available: Mapped[float]
    assigned: Mapped[float]
    utilization: Mapped[float | None]
    coverage: Mapped[float | None]
    coverage_minimum: Mapped[float | None]
    open_seats: Mapped[int]
    open_below_minimum: Mapped[int]
    level: Mapped[str] = mapped_column(String(16))
    buffer: Mapped[float | None]
    safe_load: Mapped[float | None]
    wait_factor: Mapped[float | None]
    wait_factor_erlang: Mapped[float | None]
    servers: Mapped[int]


class RedundancyRow(Base):
    """One service at its worst slot of the window."""

    __tablename__ = "redundancy_row"
    id: Mapped[int] = mapped_column(primary_key=True)
    result_id: Mapped[int] = mapped_column(ForeignKey("result.id"), index=True)
    service: Mapped[str] = mapped_column(String(64))
    tier: Mapped[int]
    level: Mapped[str] = mapped_column(String(16))
    spare: Mapped[int | None]
    present: Mapped[int | None]
    minimum: Mapped[int | None]
    day: Mapped[int | None]
    slot: Mapped[str] = mapped_column(String(64))
    posts: Mapped[str] = mapped_column(Text)
    call_in_level: Mapped[str] = mapped_column(String(16))
    call_in_spare: Mapped[int | None]
    slots_judged: Mapped[int]


class ContingencyRow(Base):
    """The headline of a contingency report: `days` from `Result.local_day`.

    `open_*` are seat-slots below the minimum that stay open today by who may move; `n1_pass`, `n2_pass` are of all
    the days, `*_near` and `phase_risk` of the health check's horizon; null is unknown. `findings` holds what is read as a whole:
    what is new, thinnest slots, classes, histogram of pairs (actions.contingency says which keys).
    """

    __tablename__ = "contingency_row"
    result_id: Mapped[int] = mapped_column(ForeignKey("result.id"), primary_key=True)
    days: Mapped[int]
    missing_days: Mapped[int]
    people: Mapped[int]
    unqualified: Mapped[int]
    open_static: Mapped[int]
    open_direct: Mapped[int]
    open_call_in: Mapped[int]
    open_full: Mapped[int]
    open_required_full: Mapped[int]
    n1_pass: Mapped[bool | None]
    n2_pass: Mapped[bool | None]
    n1_pass_near: Mapped[bool | None]
    n2_pass_near: Mapped[bool | None]
    essential_people: Mapped[int]
    harmful_pairs: Mapped[int]
    least_losses: Mapped[int | None]
    phase_risk: Mapped[str] = mapped_column(String(16))
    findings: Mapped[dict[str, Any]]


class ContingencyPersonRow(Base):
    """The loss of one person: slots in which a seat of the minimum then opens, by who may move; the rest with anyone moved.

    `tier_n` counts minima of tiers up to n only; null where no such tier has any.
    """

    __tablename__ = "contingency_person_row"
    id: Mapped[int] = mapped_column(primary_key=True)
    result_id: Mapped[int] = mapped_column(ForeignKey("result.id"), index=True)
    person: Mapped[str] = mapped_column(String(64))
    slots_lost_static: Mapped[int]
    slots_lost_direct: Mapped[int]
    slots_lost_call_in: Mapped[int]
    slots_lost_full: Mapped[int]
    slots_lost_required: Mapped[int]
    sole_slots: Mapped[int]
    people_moved: Mapped[int | None]
    worst_day: Mapped[int | None]
    worst_slot: Mapped[str | None] = mapped_column(String(64))
    worst_deficit: Mapped[int | None]
    posts_lost: Mapped[str] = mapped_column(Text)
    tier_1: Mapped[int | None]
    tier_2: Mapped[int | None]
    tier_3: Mapped[int | None]
    tier_4: Mapped[int | None]
    tier_5: Mapped[int | None]
    tier_6: Mapped[int | None]
    tier_7: Mapped[int | None]
    absent_share: Mapped[float | None]
    expected_slots: Mapped[float | None]


class ContingencyPairRow(Base):
    """One of the worst pairs: seats and slots that open when both are lost, and how many `more` than one by one."""

    __tablename__ = "contingency_pair_row"
    id: Mapped[int] = mapped_column(primary_key=True)
    result_id: Mapped[int] = mapped_column(ForeignKey("result.id"), index=True)
    first: Mapped[str] = mapped_column(String(64))
    second: Mapped[str] = mapped_column(String(64))
    seats: Mapped[int]
    slots: Mapped[int]
    more: Mapped[int]
    expected_seats: Mapped[float | None]


class DeepDiveRow(Base):
    """A deep dive over `days` from `Result.local_day`: what it found, as it is shown (actions.deep_dive says which keys)."""

    __tablename__ = "deep_dive_row"
    result_id: Mapped[int] = mapped_column(ForeignKey("result.id"), primary_key=True)
    days: Mapped[int]
    phase_risk: Mapped[str] = mapped_column(String(16))
    findings: Mapped[dict[str, Any]]


class ResultDetail(Base):
    """What belongs to a result and is read as a whole, as one blob of columns (storage.columns)."""

    __tablename__ = "result_detail"
    result_id: Mapped[int] = mapped_column(ForeignKey("result.id"), primary_key=True)
    blob: Mapped[bytes] = mapped_column(LargeBinary)


class HealthCheck(Base):
    """The headline of one check of one program. Missing figures are null, never zero.

    `status` is what is shown; `raw_status` what this reading says, unknown where the roster is
    refused or old; `measured_status` and `measured_actions` what the figures alone say.
    """

    __tablename__ = "health_check"
    __table_args__ = (
        UniqueConstraint("program_id", "as_of", "freeze_id", "policy_hash", "code_version"),
        Index("ix_health_check_as_of", "as_of"),
    )
    id: Mapped[int] = mapped_column(primary_key=True)
    program_id: Mapped[int] = mapped_column(ForeignKey("program.id"))
    as_of: Mapped[dt.datetime]
    local_day: Mapped[int]
    freeze_id: Mapped[int] = mapped_column(Integer, default=0)
    version_id: Mapped[int | None] = mapped_column(ForeignKey("roster_version.id"))
    policy_hash: Mapped[str] = mapped_column(String(64))
    code_version: Mapped[str] = mapped_column(String(16))
    utilization_id: Mapped[int | None] = mapped_column(ForeignKey("result.id"))
    redundancy_id: Mapped[int | None] = mapped_column(ForeignKey("result.id"))
    contingency_id: Mapped[int | None] = mapped_column(ForeignKey("result.id"))
    status: Mapped[str] = mapped_column(String(16))
    raw_status: Mapped[str] = mapped_column(String(16))
    measured_status: Mapped[str] = mapped_column(String(16))
    utilization: Mapped[float | None]
    utilization_level: Mapped[str] = mapped_column(String(16))
    coverage: Mapped[float | None]
    open_seats: Mapped[int | None]
    defense_level: Mapped[str] = mapped_column(String(16))
    load_shedding: Mapped[str] = mapped_column(String(16))
    n1_pass: Mapped[bool | None]
    n2_pass: Mapped[bool | None]
    phase_risk: Mapped[str] = mapped_column(String(16), server_default="unknown")
    duty_breaches: Mapped[int | None]
    active_fallbacks: Mapped[int]
    immediate_actions: Mapped[list[Any]]
    measured_actions: Mapped[list[Any]]
    watch_items: Mapped[list[Any]]


# --- incidents and the inbox --------------------------------------------------------------------


class RuleCursor(Base):
    """The newest reading of a source table that alert rules have taken."""

    __tablename__ = "rule_cursor"
    source: Mapped[str] = mapped_column(String(64), primary_key=True)
    last_id: Mapped[int]


class RuleState(Base):
    """How far a rule has counted for one scope, and whether it fires; no row means neither.

    `program_id` 0 is the deployment as a whole, here and in rule_history.
    """

    __tablename__ = "rule_state"
    __table_args__ = (UniqueConstraint("rule", "program_id", "scope_key"),)
    id: Mapped[int] = mapped_column(primary_key=True)
    rule: Mapped[str] = mapped_column(String(64))
    program_id: Mapped[int]
    scope_key: Mapped[str] = mapped_column(String(64))
    over: Mapped[int]
    under: Mapped[int] = mapped_column(default=0)
    firing: Mapped[bool]


class RuleHistory(Base):
    """Whether the rules of a family fired at their last readings ('0110', newest last), and whether they flap."""

    __tablename__ = "rule_history"
    __table_args__ = (UniqueConstraint("rule", "program_id", "scope_key"),)
    id: Mapped[int] = mapped_column(primary_key=True)
    rule: Mapped[str] = mapped_column(String(64))
    program_id: Mapped[int]
    scope_key: Mapped[str] = mapped_column(String(64))
    recent: Mapped[str] = mapped_column(String(64))
    flapping: Mapped[bool]


class Incident(Base):
    """One alarm condition of one scope, from opened to closed; `scope_key` '' is the whole program, and a
    program of null the deployment.

    `rule` is the family, `rule_id` the rule that spoke last. `thread_id` is the incident with which its group
    began: notices of a group are numbered within it. The chain of reminders and escalations counts its steps
    from `base_at`; acknowledging ends it, a raise begins it anew.
    """

    __tablename__ = "incident"
    __table_args__ = (
        Index(
            "uq_incident_open", "rule", "program_id", "scope_key", unique=True,
            sqlite_where=text("closed_at IS NULL"), postgresql_where=text("closed_at IS NULL"),
        ),
        Index(
            "uq_incident_open_everywhere", "rule", "scope_key", unique=True,
            sqlite_where=text("closed_at IS NULL AND program_id IS NULL"),
            postgresql_where=text("closed_at IS NULL AND program_id IS NULL"),
        ),
    )  # fmt: skip
    id: Mapped[int] = mapped_column(primary_key=True)
    rule: Mapped[str] = mapped_column(String(64))
    program_id: Mapped[int | None] = mapped_column(ForeignKey("program.id"), index=True)
    scope_key: Mapped[str] = mapped_column(String(64))
    severity: Mapped[str] = mapped_column(String(16))
    opened_at: Mapped[dt.datetime]
    closed_at: Mapped[dt.datetime | None]
    value: Mapped[float | None]
    rule_id: Mapped[str] = mapped_column(String(64), default="")
    summary: Mapped[str] = mapped_column(Text, default="")
    place: Mapped[str] = mapped_column(Text, default="")
    thread_id: Mapped[int | None] = mapped_column(Integer, index=True)
    base_at: Mapped[dt.datetime | None]
    step: Mapped[int] = mapped_column(default=0)
    acknowledged_at: Mapped[dt.datetime | None]


class IncidentEvent(Base):
    """Something that happened to an incident: seq 1 is its opening. `origin` names the reading or the step of the
    chain behind it, so that none happens twice."""

    __tablename__ = "incident_event"
    __table_args__ = (UniqueConstraint("incident_id", "seq"),)
    id: Mapped[int] = mapped_column(primary_key=True)
    incident_id: Mapped[int] = mapped_column(ForeignKey("incident.id"))
    seq: Mapped[int]
    kind: Mapped[str] = mapped_column(String(16))
    severity: Mapped[str] = mapped_column(String(16))
    as_of: Mapped[dt.datetime]
    at: Mapped[dt.datetime]
    value: Mapped[float | None]
    summary: Mapped[str] = mapped_column(Text, default="")
    level: Mapped[int] = mapped_column(default=0)
    origin: Mapped[str] = mapped_column(String(400), unique=True)


class Notice(Base):
    """One message: of one or several events of a thread (seq 1 is its first), or one reader's morning digest.

    `delivered_at` is when a delivery took it up; the inbox has it from the start.
    """

    __tablename__ = "notice"
    __table_args__ = (
        UniqueConstraint("incident_id", "seq"),
        Index("ix_notice_pending", "id", sqlite_where=text("delivered_at IS NULL"), postgresql_where=text("delivered_at IS NULL")),
    )
    id: Mapped[int] = mapped_column(primary_key=True)
    incident_id: Mapped[int | None] = mapped_column(ForeignKey("incident.id"))
    seq: Mapped[int]
    kind: Mapped[str] = mapped_column(String(16))
    as_of: Mapped[dt.datetime]
    severity: Mapped[str] = mapped_column(String(16))
    subject: Mapped[str] = mapped_column(String(300))
    body: Mapped[str] = mapped_column(Text)
    delivered_at: Mapped[dt.datetime | None]


class Telling(Base):
    """What became of one event for one reader ('inbox' or a recipient of the policy): the notice that tells it,
    or the reason why it is not told. Exactly one of the two."""

    __tablename__ = "telling"
    __table_args__ = (
        UniqueConstraint("event_id", "reader"),
        CheckConstraint("(notice_id IS NULL) <> (reason = '')", name="one_of_two"),
        Index("ix_telling_held", "reader", sqlite_where=text("notice_id IS NULL"), postgresql_where=text("notice_id IS NULL")),
    )
    id: Mapped[int] = mapped_column(primary_key=True)
    event_id: Mapped[int] = mapped_column(ForeignKey("incident_event.id"))
    reader: Mapped[str] = mapped_column(String(320))
    notice_id: Mapped[int | None] = mapped_column(ForeignKey("notice.id"), index=True)
    reason: Mapped[str] = mapped_column(String(40), default="")


class InboxMessage(Base):
    """A notice in the inbox; of a program, or (null) of the deployment."""

    __tablename__ = "inbox_message"
    id: Mapped[int] = mapped_column(primary_key=True)
    notice_id: Mapped[int] = mapped_column(ForeignKey("notice.id"), unique=True)
    program_id: Mapped[int | None] = mapped_column(ForeignKey("program.id"), index=True)
    severity: Mapped[str] = mapped_column(String(16))
    subject: Mapped[str] = mapped_column(String(300))
    body: Mapped[str] = mapped_column(Text)
    written_at: Mapped[dt.datetime]


class Acknowledgement(Base):
    """Somebody has taken an incident in hand."""

    __tablename__ = "acknowledgement"
    id: Mapped[int] = mapped_column(primary_key=True)
    incident_id: Mapped[int] = mapped_column(ForeignKey("incident.id"), index=True)
    at: Mapped[dt.datetime]
    by: Mapped[str] = mapped_column(String(200))
    note: Mapped[str] = mapped_column(Text, default="")


class Silence(Base):
    """Nothing is told between two instants of what fits; '' fits everything. `rule` is a family."""

    __tablename__ = "silence"
    id: Mapped[int] = mapped_column(primary_key=True)
    program: Mapped[str] = mapped_column(String(64))
    rule: Mapped[str] = mapped_column(String(64))
    scope_key: Mapped[str] = mapped_column(String(64))
    starts_at: Mapped[dt.datetime]
    ends_at: Mapped[dt.datetime]
    author: Mapped[str] = mapped_column(String(200))
    reason: Mapped[str] = mapped_column(Text)
    created_at: Mapped[dt.datetime]


class DeclaredGap(Base):
    """Seats of a service known to be open, and accepted: at most `seats` a date leave the alarm, never the figure."""

    __tablename__ = "declared_gap"
    id: Mapped[int] = mapped_column(primary_key=True)
    program_id: Mapped[int] = mapped_column(ForeignKey("program.id"), index=True)
    service: Mapped[str] = mapped_column(String(64))
    first: Mapped[int]
    last: Mapped[int]
    seats: Mapped[int]
    author: Mapped[str] = mapped_column(String(200))
    reason: Mapped[str] = mapped_column(Text)
    created_at: Mapped[dt.datetime]
    ended_at: Mapped[dt.datetime | None]


class AuditEvent(Base):
    """Who did what, when. Rows are added and never changed (the database refuses it); each carries the hash of the
    one before it."""

    __tablename__ = "audit_event"
    id: Mapped[int] = mapped_column(primary_key=True)
    at: Mapped[dt.datetime]
    who: Mapped[str] = mapped_column(String(200))
    what: Mapped[str] = mapped_column(String(64))
    subject: Mapped[str] = mapped_column(String(300))
    detail: Mapped[dict[str, Any]]
    previous_hash: Mapped[str] = mapped_column(String(64))
    hash: Mapped[str] = mapped_column(String(64), unique=True)


# --- the outbox -----------------------------------------------------------------------------------


class Message(Base):
    """What somebody or something asked to be sent, apart from any incident; its outbox rows carry it."""

    __tablename__ = "message"
    id: Mapped[int] = mapped_column(primary_key=True)
    kind: Mapped[str] = mapped_column(String(16))
    level: Mapped[str] = mapped_column(String(16))
    subject: Mapped[str] = mapped_column(Text)
    text: Mapped[str] = mapped_column(Text)
    created_by: Mapped[str] = mapped_column(String(200))
    created_at: Mapped[dt.datetime]


class OutboxRow(Base):
    """One notice for one reader over one channel, from written to settled.

    `endpoint` is what fails as a whole (the mail server, one webhook). `attempts` counts all, `forgiven` those
    before the last redelivery. `lease_epoch` rises with each claim: only the newest claim may settle.
    `digest_id` is the row that tells this one's content in its place.
    """

    __tablename__ = "outbox"
    __table_args__ = (
        Index("ix_outbox_due", "next_at", sqlite_where=text("state = 'pending'"), postgresql_where=text("state = 'pending'")),
        Index("ix_outbox_reader", "incident_id", "channel", "recipient", "seq"),
    )
    id: Mapped[int] = mapped_column(primary_key=True)
    idem_key: Mapped[str] = mapped_column(String(64), unique=True)
    incident_id: Mapped[int | None] = mapped_column(ForeignKey("incident.id"))
    message_id: Mapped[int | None] = mapped_column(ForeignKey("message.id"), index=True)
    seq: Mapped[int]
    channel: Mapped[str] = mapped_column(String(16))
    recipient: Mapped[str] = mapped_column(Text)
    endpoint: Mapped[str] = mapped_column(String(80))
    severity: Mapped[str] = mapped_column(String(16))
    kind: Mapped[str] = mapped_column(String(16))
    subject: Mapped[str] = mapped_column(Text)
    text: Mapped[str] = mapped_column(Text)
    html: Mapped[str | None] = mapped_column(Text)
    payload: Mapped[dict[str, Any]]
    state: Mapped[str] = mapped_column(String(16), default="pending")
    reason: Mapped[str | None] = mapped_column(String(200))
    digest_id: Mapped[int | None] = mapped_column(ForeignKey("outbox.id"), index=True)
    rerouted_from: Mapped[int | None] = mapped_column(ForeignKey("outbox.id"))
    held: Mapped[bool] = mapped_column(default=False)
    created_at: Mapped[dt.datetime]
    next_at: Mapped[dt.datetime]
    attempts: Mapped[int] = mapped_column(default=0)
    forgiven: Mapped[int] = mapped_column(default=0)
    lease_until: Mapped[dt.datetime | None]
    lease_by: Mapped[str | None] = mapped_column(String(120))
    lease_epoch: Mapped[int] = mapped_column(default=0)
    settled_at: Mapped[dt.datetime | None]


class DeliveryAttempt(Base):
    """One try at an outbox row; `outcome` is null while it is under way."""

    __tablename__ = "delivery_attempt"
    __table_args__ = (UniqueConstraint("outbox_id", "n"),)
    id: Mapped[int] = mapped_column(primary_key=True)
    outbox_id: Mapped[int] = mapped_column(ForeignKey("outbox.id"))
    n: Mapped[int]
    by: Mapped[str] = mapped_column(String(120))
    started_at: Mapped[dt.datetime]
    ended_at: Mapped[dt.datetime | None]
    outcome: Mapped[str | None] = mapped_column(String(16))
    code: Mapped[int | None]
    error_class: Mapped[str | None] = mapped_column(String(80))


class DeadLetter(Base):
    """A row that was given up: the reading of the rule that speaks of failed deliveries."""

    __tablename__ = "dead_letter"
    id: Mapped[int] = mapped_column(primary_key=True)
    outbox_id: Mapped[int] = mapped_column(ForeignKey("outbox.id"))
    incident_id: Mapped[int | None]
    channel: Mapped[str] = mapped_column(String(16))
    severity: Mapped[str] = mapped_column(String(16))
    reason: Mapped[str] = mapped_column(String(200))
    died_at: Mapped[dt.datetime]


class Endpoint(Base):
    """How one endpoint stands: until when it is left alone, failures in a row, switched off by its owner (410).

    `address_hash` is that of the address that answered so: another address under the same name starts afresh.
    """

    __tablename__ = "endpoint"
    name: Mapped[str] = mapped_column(String(80), primary_key=True)
    not_before: Mapped[dt.datetime | None]
    failures: Mapped[int] = mapped_column(default=0)
    disabled_at: Mapped[dt.datetime | None]
    address_hash: Mapped[str | None] = mapped_column(String(64))


class Heartbeat(Base):
    """When a process last said that it is alive."""

    __tablename__ = "heartbeat"
    name: Mapped[str] = mapped_column(String(64), primary_key=True)
    at: Mapped[dt.datetime]

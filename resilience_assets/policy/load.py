"""One policy out of the shipped data, a preset, an overlay text and the environment.

Belongs here: the order in which they are laid over each other, the refusals, hashes. Does not
belong here: reading the overlay's file or the process environment (settings hands both over).
"""

from __future__ import annotations

import difflib
import hashlib
import json
import types
import typing
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from resilience_assets.policy.documents import Document, lay_over, read_document, resolve_limits, shipped_document
from resilience_assets.policy.errors import PolicyError
from resilience_assets.policy.model import Policy
from resilience_assets.policy.routes import Telling

PRESETS: dict[str, dict[str, float]] = {
    "conservative": {"yellow": 0.65, "orange": 0.75, "red": 0.85, "black": 0.90},
    "moderate": {},
    "aggressive": {"yellow": 0.75, "orange": 0.85, "red": 0.95, "black": 0.98},
}
"""Utilization levels by preset; moderate is the shipped policy itself."""

ENVIRONMENT_KEYS = {
    "RESILIENCE_WARNING_THRESHOLD": "yellow",
    "RESILIENCE_MAX_UTILIZATION": "orange",
    "RESILIENCE_CRITICAL_THRESHOLD": "red",
    "RESILIENCE_EMERGENCY_THRESHOLD": "black",
}
"""Environment variables that set a utilization level."""

RECIPIENTS_KEY = "RESILIENCE_ALERT_RECIPIENTS"
"""Environment variable with the mail addresses that are told of what no route speaks of."""


@dataclass(frozen=True)
class Policies:
    """The policy of every program: one for all, and one for each program with a section of its own.

    `text` is the canonical merged text of all of them (JSON, which is also YAML), `hash` its
    sha256. A program's version is the sha256 of its own merged policy, so that a change to one
    program's section leaves the results of the others as they are; `telling` (who is told, one for
    all) decides no result and is part of no program's version.
    """

    default: Policy
    sections: Mapping[str, Policy]
    telling: Telling
    text: str = field(repr=False)
    hash: str
    _texts: Mapping[str, tuple[str, str]] = field(repr=False)

    def for_program(self, program_id: str) -> Policy:
        """The policy of a program: its own section laid over the common policy."""
        return self.sections.get(program_id, self.default)

    def text_for(self, program_id: str) -> str:
        """Canonical text of a program's merged policy."""
        return self._texts.get(program_id, self._texts[""])[0]

    def version_for(self, program_id: str) -> str:
        """sha256 (hex) of a program's merged policy."""
        return self._texts.get(program_id, self._texts[""])[1]


def load_policies(
    overlay_text: str | None = None,
    preset: str = "moderate",
    environment: Mapping[str, str] | None = None,
) -> Policies:
    """Merge and check all policies. PolicyError lists every mistake with its path, value and what is allowed.

    Later wins: shipped data, preset, overlay, environment (RESILIENCE_WARNING_THRESHOLD and its
    kin), and last the program's own section of the overlay, which is the most particular. In the
    overlay `preset` may be named at the top or in a program's section; rules are matched by id.
    """
    overlay = read_document(overlay_text or "", "policy overlay")
    telling = _telling(overlay.pop("telling", None), (environment or {}).get(RECIPIENTS_KEY, ""))
    programs = overlay.pop("programs", None) or {}
    if not isinstance(programs, dict):
        raise PolicyError([f"programs: must be a mapping of program ids, and is a {type(programs).__name__}"])
    shipped = {key: value for key, value in shipped_document().items() if key != "telling"}
    base = lay_over(shipped, _preset_document(preset, "preset"))
    levels = _environment_levels(environment or {})
    common = lay_over(lay_over(base, _with_preset(overlay, "")), {"utilization": levels} if levels else {})
    hint = " (set in the environment: " + ", ".join(sorted(_set_keys(environment or {}))) + ")" if levels else ""
    default = _validated(common, "", hint)
    sections: dict[str, Policy] = {}
    for program_id, section in programs.items():
        path = f"programs.{program_id}"
        if not isinstance(section, dict):
            raise PolicyError([f"{path}: must be a mapping of sections, and is {section!r}"])
        if "programs" in section:
            raise PolicyError([f"{path}.programs: a program's section cannot hold programs"])
        sections[program_id] = _validated(lay_over(common, _with_preset(section, path), path), path, hint)
    return _with_texts(default, sections, telling)


def _telling(section: Any, addresses: str) -> Telling:
    """Who is told: the overlay's section over the shipped one, and the addresses of the environment as `default_to`."""
    if section is not None and not isinstance(section, dict):
        raise PolicyError([f"telling: must be a mapping of sections, and is {section!r}"])
    document: Document = lay_over(shipped_document()["telling"], section or {}, "telling")
    given = document["recipients"] if isinstance(document["recipients"], list) else []
    known = {one.get("address"): one.get("id") for one in given if isinstance(one, dict)}
    for address in dict.fromkeys(one.strip() for one in addresses.split(",") if one.strip()):
        if address in known:
            document = document | {"default_to": [*dict.fromkeys([*document["default_to"], known[address]])]}
            continue
        document = document | {
            "recipients": [*document["recipients"], {"id": address, "channel": "email", "address": address}],
            "default_to": [*document["default_to"], address],
        }
    try:
        return Telling.model_validate(document)
    except ValidationError as error:
        mistakes = [_mistake(one, document, "telling", "", Telling) for one in error.errors(include_url=False)]
        raise PolicyError(mistakes) from error


def _with_texts(default: Policy, sections: dict[str, Policy], telling: Telling) -> Policies:
    dumps = {"": default.model_dump(mode="json")} | {
        program_id: policy.model_dump(mode="json") for program_id, policy in sorted(sections.items())
    }
    texts = {program_id: (text := _canonical(dump), _sha256(text)) for program_id, dump in dumps.items()}
    whole = _canonical({"all": dumps.pop(""), "programs": dumps, "telling": telling.model_dump(mode="json")})
    return Policies(default, sections, telling, whole, _sha256(whole), texts)


def _canonical(data: Any) -> str:
    return json.dumps(data, sort_keys=True, indent=1, ensure_ascii=False) + "\n"


def _sha256(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def _preset_document(name: Any, path: str) -> Document:
    if name not in PRESETS:
        raise PolicyError([f"{path}: {name!r} is not a preset{_nearest(str(name), list(PRESETS))}"])
    return {"utilization": PRESETS[name]} if PRESETS[name] else {}


def _with_preset(overlay: Document, path: str) -> Document:
    """An overlay with the preset that it names laid under it. 'moderate' brings the shipped levels back."""
    if "preset" not in overlay:
        return overlay
    rest = {key: value for key, value in overlay.items() if key != "preset"}
    chosen = _preset_document(overlay["preset"], f"{path}.preset".lstrip("."))
    shipped = {key: value for key, value in shipped_document()["utilization"].items() if key != "source"}
    return dict(lay_over(chosen or {"utilization": shipped}, rest, path))


def _set_keys(environment: Mapping[str, str]) -> list[str]:
    return [key for key in ENVIRONMENT_KEYS if environment.get(key, "").strip()]


def _environment_levels(environment: Mapping[str, str]) -> dict[str, float]:
    levels: dict[str, float] = {}
    for key in _set_keys(environment):
        try:
            levels[ENVIRONMENT_KEYS[key]] = float(environment[key])
        except ValueError as error:
            raise PolicyError([f"{key}: {environment[key]!r} is not a number such as 0.80"]) from error
    return levels


def _validated(document: Document, path: str, hint: str) -> Policy:
    try:
        return Policy.model_validate(resolve_limits(document))
    except PolicyError as error:
        raise PolicyError([f"{path}.{mistake}" if path else mistake for mistake in error.mistakes]) from error
    except ValidationError as error:
        mistakes = [_mistake(one, document, path, hint) for one in error.errors(include_url=False)]
        raise PolicyError(mistakes) from error


def _mistake(error: ErrorDetails, document: Document, prefix: str, hint: str, root: type[BaseModel] = Policy) -> str:
    """One line: path, value, what is allowed."""
    location = error["loc"]
    path = _path_text(location, document)
    full = ".".join(part for part in (prefix, path) if part) or "the policy"
    if location[:1] != ("utilization",):
        hint = ""
    if error["type"] == "extra_forbidden":
        allowed = _allowed_keys(location[:-1], root)
        if len(location) == 1 and root is Policy:
            allowed = [*allowed, "preset", *([] if prefix else ["programs", "telling"])]
        return f"{full}: unknown key{_nearest(str(location[-1]), allowed)}"
    reason = error["msg"].removeprefix("Value error, ")
    if error["type"] == "missing":
        return f"{full}: is missing{hint}"
    if error["type"] == "value_error":
        return f"{full}: {reason}{hint}"
    return f"{full}: {error['input']!r} is refused: {reason}{hint}"


def _nearest(key: str, allowed: Sequence[str]) -> str:
    close = difflib.get_close_matches(key, allowed, n=1, cutoff=0.5)
    meant = f"; did you mean {close[0]!r}?" if close else ""
    return f"{meant} (known: {', '.join(sorted(allowed))})"


def _path_text(location: tuple[int | str, ...], document: Document) -> str:
    """'duty.rules[acgme.weekly_hours].limit': rules by their id, without the name of their kind."""
    text, in_rule = "", False
    at: Any = document
    for step in location:
        if isinstance(step, int):
            at = at[step] if isinstance(at, list | tuple) and step < len(at) else None
            in_rule = isinstance(at, dict) and "kind" in at
            text += f"[{at.get('id', step) if isinstance(at, dict) else step}]"
        elif in_rule and isinstance(at, dict) and step == at.get("kind"):
            in_rule = False
        else:
            in_rule = False
            at = at.get(step) if isinstance(at, dict) else None
            text += f".{step}" if text else step
    return text


def _allowed_keys(location: tuple[int | str, ...], root: type[BaseModel]) -> list[str]:
    """Fields of the record at a place of the policy."""
    at: Any = root
    for step in location:
        at = _step_into(at, step)
    return list(at.model_fields) if isinstance(at, type) and issubclass(at, BaseModel) else []


def _step_into(annotation: Any, step: int | str) -> Any:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        spec = annotation.model_fields.get(str(step))
        return spec.annotation if spec else None
    origin, arguments = typing.get_origin(annotation), typing.get_args(annotation)
    if origin is tuple:
        return arguments[0]
    if origin is typing.Annotated:
        return _step_into(arguments[0], step)
    if origin in (types.UnionType, typing.Union):
        for kind in arguments:
            if step in typing.get_args(kind.model_fields["kind"].annotation):
                return kind
    return None

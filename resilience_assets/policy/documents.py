"""Policy texts as plain data: reading YAML strictly, laying one document over another.

Belongs here: what can be done to a document without knowing what it means, and following the names
of thresholds within one. Does not belong here: the conditions of the records (model.py).
"""

from __future__ import annotations

from functools import lru_cache
from importlib import resources
from typing import Any

import yaml

from resilience_assets.policy.errors import PolicyError

Document = dict[str, Any]

SHIPPED = ("thresholds.yaml", "alert_rules.yaml", "duty_rules.yaml", "absence_rates.yaml", "telling.yaml")
"""The data files of this package; together they are one complete policy."""


class _StrictLoader(yaml.SafeLoader):
    """YAML in which a key given twice is a mistake and not a silent choice of the last."""


def _mapping_without_doubles(loader: _StrictLoader, node: yaml.MappingNode) -> Document:
    out: Document = {}
    for key_node, value_node in node.value:
        key = str(loader.construct_object(key_node, deep=True))
        if key in out:
            raise PolicyError([f"line {key_node.start_mark.line + 1}: key {key!r} is given twice; keep one"])
        out[key] = loader.construct_object(value_node, deep=True)
    return out


_StrictLoader.add_constructor(yaml.resolver.BaseResolver.DEFAULT_MAPPING_TAG, _mapping_without_doubles)


def read_document(text: str, name: str) -> Document:
    """The mapping that a YAML text holds; {} for an empty one. PolicyError names the line."""
    try:
        # the loader is a SafeLoader: plain data only
        content = yaml.load(text, Loader=_StrictLoader)
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        where = f"line {mark.line + 1}, column {mark.column + 1}" if mark is not None else "somewhere"
        raise PolicyError([f"{name}, {where}: not YAML: {getattr(error, 'problem', None) or error}"]) from error
    except RecursionError as error:
        raise PolicyError([f"{name}: nested too deeply"]) from error
    if content is None:
        return {}
    if not isinstance(content, dict):
        raise PolicyError([f"{name}: must be a mapping of sections, and is a {type(content).__name__}"])
    return content


@lru_cache(maxsize=1)
def shipped_document() -> Document:
    """The complete policy that is shipped in this package. Read once: lay over it, do not write into it."""
    out: Document = {}
    folder = resources.files("resilience_assets.policy").joinpath("data")
    for name in SHIPPED:
        out |= read_document(folder.joinpath(name).read_text(encoding="utf-8"), name)
    return out


def lay_over(base: Any, upper: Any, path: str = "") -> Any:
    """`upper` laid over `base`: mappings key by key, lists of rules by their id, anything else replaced.

    A new id in a list of rules is appended. PolicyError when a rule of such a list has no id.
    """
    if isinstance(base, dict) and isinstance(upper, dict):
        out = dict(base)
        for key, value in upper.items():
            out[key] = lay_over(base[key], value, f"{path}.{key}".lstrip(".")) if key in base else value
        # a limit given one way replaces the same limit given the other way
        for given, replaced in (("clear", "clear_gap"), ("clear_gap", "clear")):
            if given in upper and replaced in out and replaced not in upper:
                del out[replaced]
        return out
    if _is_rules(base) and isinstance(upper, list):
        by_id = {rule["id"]: rule for rule in base}
        for position, rule in enumerate(upper):
            if not isinstance(rule, dict) or not isinstance(rule.get("id"), str):
                raise PolicyError(
                    [f"{path}[{position}]: a rule needs an id, so that it can be laid over the shipped one"]
                )
            by_id[rule["id"]] = lay_over(by_id.get(rule["id"], {}), rule, f"{path}[{rule['id']}]")
        return list(by_id.values())
    return upper


def _is_rules(value: Any) -> bool:
    return isinstance(value, list) and bool(value) and all(isinstance(one, dict) and "id" in one for one in value)


def resolve_limits(document: Document) -> Document:
    """The document with numbers in its alert rules where they name a threshold or give a gap.

    `trigger: utilization.orange` takes that threshold of the same document; `clear_gap: 0.03` puts
    `clear` that far on the good side of the trigger.
    """
    rules = document.get("alert_rules")
    if not isinstance(rules, list):
        return document
    return document | {"alert_rules": [_resolved(document, rule) if isinstance(rule, dict) else rule for rule in rules]}


def _resolved(document: Document, rule: Document) -> Document:
    out = dict(rule)
    path = f"alert_rules[{rule.get('id', '?')}]"
    for name in ("trigger", "clear"):
        if isinstance(out.get(name), str):
            out[name] = _named_threshold(document, out[name], f"{path}.{name}")
    gap = out.pop("clear_gap", None)
    if gap is None:
        return out
    if "clear" in out:
        raise PolicyError([f"{path}: has both clear and clear_gap; keep one"])
    if not isinstance(gap, int | float) or isinstance(gap, bool) or gap < 0:
        raise PolicyError([f"{path}.clear_gap: {gap!r} is not a number of 0 or more"])
    if isinstance(out.get("trigger"), int | float):
        # rounded, so that 0.80 - 0.03 is 0.77 and not 0.7700000000000001
        out["clear"] = round(out["trigger"] + (gap if out.get("direction") == "below" else -gap), 9)
    return out


def _named_threshold(document: Document, name: str, path: str) -> float:
    section, _, key = name.partition(".")
    value = document.get(section, {}).get(key) if isinstance(document.get(section), dict) else None
    if not isinstance(value, int | float) or isinstance(value, bool):
        raise PolicyError([f"{path}: {name!r} is neither a number nor a threshold such as utilization.orange"])
    return float(value)

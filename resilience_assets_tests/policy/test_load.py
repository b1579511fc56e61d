"""Merging shipped data, preset, overlay, environment and program sections; hashes; refusals that help."""

from __future__ import annotations

import json

import pytest
import yaml

from resilience_assets.policy import PRESETS, PolicyError, load_policies
from resilience_assets.policy.documents import lay_over, read_document


def refusal(text: str | None, **more: object) -> str:
    with pytest.raises(PolicyError) as caught:
        load_policies(text, **more)  # type: ignore[arg-type]
    return str(caught.value)


def test_nothing_given_is_the_moderate_policy() -> None:
    policies = load_policies()
    assert policies.default.utilization.limits == (0.70, 0.80, 0.90, 0.95)
    assert policies.for_program("anything") is policies.default
    assert (
        load_policies("").hash
        == load_policies("# only a remark\n").hash
        == policies.hash
        == load_policies(preset="moderate").hash
    )


@pytest.mark.parametrize(
    ("preset", "limits"),
    [
        ("conservative", (0.65, 0.75, 0.85, 0.90)),
        ("moderate", (0.70, 0.80, 0.90, 0.95)),
        ("aggressive", (0.75, 0.85, 0.95, 0.98)),
    ],
)
def test_presets(preset: str, limits: tuple[float, ...]) -> None:
    assert load_policies(preset=preset).default.utilization.limits == limits
    assert load_policies(f"preset: {preset}").default.utilization.limits == limits
    assert preset in PRESETS


def test_alert_limits_follow_the_levels_they_name() -> None:
    rules = {rule.id: rule for rule in load_policies(preset="aggressive").default.alert_rules}
    assert rules["utilization_level.program.warning"].trigger == 0.85
    assert rules["utilization_level.program.warning"].clear == 0.82
    rules = {rule.id: rule for rule in load_policies("defense: {prevention: 0.96}").default.alert_rules}
    assert (rules["coverage.program.warning"].trigger, rules["coverage.service.warning"].clear) == (0.96, 0.96)


def test_an_overlay_changes_what_it_names_and_nothing_else() -> None:
    changed = load_policies("health: {horizon_days: 14}").default
    assert changed.health.horizon_days == 14
    assert changed.health.readings_up == 2
    assert changed.utilization == load_policies().default.utilization


def test_rules_are_laid_over_by_id_and_new_ones_added() -> None:
    overlay = """
    duty:
      rules:
        - {id: acgme.weekly_hours, limit: 76}
        - {id: local.long_week, kind: rolling_window, text: t, source: s, force: local rule, first: 2020-01-01,
           measure: hours, limit: 60, per_days: 7, window_days: 7}
    """
    before, after = (load_policies(text).default.duty.rules for text in ("", overlay))
    assert [rule.id for rule in after] == [rule.id for rule in before] + ["local.long_week"]
    changed = {rule.id: rule for rule in after}["acgme.weekly_hours"]
    assert changed.limit == 76  # type: ignore[union-attr]
    assert changed.sections == before[0].sections


def test_a_clear_replaces_a_gap_and_a_gap_a_clear() -> None:
    def rule(text: str, name: str) -> float:
        overlay = f"alert_rules: [{{id: {name}, {text}}}]"
        return {one.id: one.clear for one in load_policies(overlay).default.alert_rules}[name]

    assert rule("clear: 0.70", "utilization_level.program.warning") == 0.70
    assert rule("clear_gap: 0.10", "utilization_level.program.warning") == 0.70
    assert rule("clear_gap: 0.01", "coverage.service.warning") == 0.91
    assert rule("clear_gap: 0", "coverage.service.warning") == 0.90
    assert "keep one" in refusal("alert_rules: [{id: coverage.program.warning, clear: 0.96, clear_gap: 0.01}]")


def test_a_program_section_is_for_that_program_only() -> None:
    policies = load_policies("programs: {icu: {utilization: {yellow: 0.6}}}")
    assert policies.for_program("icu").utilization.yellow == 0.6
    assert policies.for_program("ward").utilization.yellow == 0.7
    assert policies.for_program("icu").health == policies.default.health


def test_the_environment_beats_the_overlay_and_a_program_section_beats_the_environment() -> None:
    environment = {
        "RESILIENCE_WARNING_THRESHOLD": "0.61", "RESILIENCE_MAX_UTILIZATION": "0.71",
        "RESILIENCE_CRITICAL_THRESHOLD": "0.81", "RESILIENCE_EMERGENCY_THRESHOLD": "0.91", "HOME": "/nowhere",
    }  # fmt: skip
    policies = load_policies(
        "utilization: {yellow: 0.5}\nprograms: {icu: {utilization: {yellow: 0.4}}}", environment=environment
    )
    assert policies.default.utilization.limits == (0.61, 0.71, 0.81, 0.91)
    assert policies.for_program("icu").utilization.limits == (0.40, 0.71, 0.81, 0.91)
    assert load_policies(environment={"RESILIENCE_MAX_UTILIZATION": " "}).hash == load_policies().hash


def test_a_program_may_choose_its_preset() -> None:
    policies = load_policies("preset: aggressive\nprograms: {icu: {preset: conservative}, ward: {preset: moderate}}")
    assert policies.default.utilization.yellow == 0.75
    assert policies.for_program("icu").utilization.yellow == 0.65
    assert policies.for_program("ward").utilization.yellow == 0.70


def test_versions_move_with_their_own_program_only() -> None:
    one, other = load_policies(), load_policies("programs: {icu: {health: {horizon_days: 9}}}")
    assert one.hash != other.hash
    assert one.version_for("ward") == other.version_for("ward")
    assert one.version_for("icu") != other.version_for("icu")
    assert other.version_for("icu") != other.version_for("ward")
    assert len(one.version_for("ward")) == 64


def test_the_text_is_canonical_and_complete() -> None:
    one = load_policies("health: {horizon_days: 9, sentences: 4}\nroster: {days_ahead: 60}")
    other = load_policies("roster: {days_ahead: 60}\nhealth: {sentences: 4, horizon_days: 9}")
    assert one.text == other.text
    assert json.loads(one.text) == yaml.safe_load(one.text)
    assert json.loads(one.text_for("x"))["health"]["horizon_days"] == 9
    assert json.loads(one.text)["all"] == json.loads(one.text_for("x"))


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("utilisation: {yellow: 0.6}", ["utilisation: unknown key", "did you mean 'utilization'", "known:"]),
        ("utilization: {yelow: 0.6}", ["utilization.yelow: unknown key", "did you mean 'yellow'"]),
        ("duty: {rules: [{id: acgme.weekly_hours, limmit: 3}]}", ["duty.rules[acgme.weekly_hours].limmit", "'limit'"]),
        ("programs: {icu: {helth: {}}}", ["programs.icu.helth: unknown key", "'health'"]),
        ("programs: {icu: {programs: {}}}", ["programs.icu.programs"]),
        ("programs: {icu: 3}", ["programs.icu", "mapping"]),
        ("programs: [icu]", ["programs: must be a mapping"]),
        ("utilization: {yellow: 0.85}", ["utilization: ", "must increase", "0.85 / 0.8"]),
        ("utilization: {yellow: much}", ["utilization.yellow: 'much' is refused"]),
        ("utilization: {black: 1.5}", ["utilization.black: 1.5 is refused", "less than or equal to 1"]),
        ("utilization: {black: .nan}", ["utilization.black", "finite"]),
        ("health: {horizon_days: 0}", ["health.horizon_days: 0 is refused"]),
        ("load_shedding: {critical: [7, 6, 5, 4, 3, 2, 1]}", ["load_shedding: ", "tier 1", "never paused"]),
        ("alert_rules: [{id: coverage.program.warning, clear: 0.9}]", ["alert_rules[coverage.program.warning]", "beyond trigger 0.95"]),
        ("alert_rules: [{id: coverage.program.warning, trigger: utilization.oran}]", [".trigger: 'utilization.oran'", "utilization.orange"]),
        ("alert_rules: [{id: coverage.program.warning, clear_gap: -1}]", ["clear_gap: -1"]),
        ("alert_rules: [{trigger: 0.5}]", ["alert_rules[0]: a rule needs an id"]),
        ("duty: {rules: [{id: new}]}", ["duty.rules[new]", "kind"]),
        ("preset: agressive", ["preset: 'agressive' is not a preset", "did you mean 'aggressive'"]),
        ("a: 1\na: 2", ["line 2", "'a' is given twice"]),
        ("a: [", ["not YAML", "line 1"]),
        ("[1, 2]", ["must be a mapping"]),
        ("!!python/object/apply:os.getcwd []", ["not YAML"]),
        ("[" * 20_000, ["nested too deeply"]),
    ],
)  # fmt: skip
def test_a_refusal_names_the_path_the_value_and_what_is_allowed(text: str, parts: list[str]) -> None:
    message = refusal(text)
    for part in parts:
        assert part in message


def test_all_mistakes_are_told_at_once() -> None:
    message = refusal("utilization: {yellow: 2, orenge: 1}\nhealth: {horizon_days: x}")
    assert "utilization.yellow" in message
    assert "utilization.orenge" in message
    assert "health.horizon_days" in message


def test_the_environment_is_refused_by_name() -> None:
    assert "RESILIENCE_MAX_UTILIZATION" in refusal(None, environment={"RESILIENCE_MAX_UTILIZATION": "lots"})
    message = refusal(None, environment={"RESILIENCE_MAX_UTILIZATION": "0.6"})
    assert "must increase" in message
    assert "RESILIENCE_MAX_UTILIZATION" in message


def test_laying_over_nothing_changes_nothing() -> None:
    document = read_document("a: {b: 1, rules: [{id: x, n: 1}]}\nc: [1, 2]", "text")
    assert lay_over(document, {}) == document
    assert lay_over(document, document) == document
    assert lay_over(document, {"c": [3]})["c"] == [3]

"""Starting a run of a job: through the webserver that runs on this state, or in this process.

Belongs here: finding the job, putting its configuration together, launching, waiting, the reason of a failure.
Does not belong here: what is printed (run.py). Imports Dagster: import this module only when a run is wanted.
"""

from __future__ import annotations

import difflib
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any

import dagster as dg
import httpx
import yaml

from resilience_assets.cli.errors import Failed, Refused
from resilience_assets.definitions import build_definitions
from resilience_assets.resources.deployment import Deployment
from resilience_assets.supervisor import dagster_home

LOCATION, REPOSITORY = "resilience_assets", "__repository__"
POLL_S = 0.5
REQUEST_S = 30.0
FINISHED = {"SUCCESS", "FAILURE", "CANCELED"}
QUIET = {"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}}
"""Run configuration that keeps Dagster's event log off the terminal; it is in the instance all the same."""

LAUNCH = """
mutation Launch($params: ExecutionParams!) { launchRun(executionParams: $params) {
  __typename
  ... on LaunchRunSuccess { run { runId status } }
  ... on RunConfigValidationInvalid { errors { message } }
  ... on Error { message }
} }
"""
STATUS = (
    "query Status($id: ID!) { runOrError(runId: $id) { __typename ... on Run { status } ... on Error { message } } }"
)
RESULTS = """
query Results($id: ID!) { logsForRun(runId: $id, limit: 1000) { ... on EventConnection { events {
  ... on ExecutionStepOutputEvent { metadataEntries {
    label
    ... on TextMetadataEntry { text }
    ... on IntMetadataEntry { intValue }
    ... on FloatMetadataEntry { floatValue }
  } }
} } } }
"""
REASON = """
query Reason($id: ID!) { logsForRun(runId: $id, limit: 1000) { ... on EventConnection { events {
  __typename
  ... on ExecutionStepFailureEvent {
    error { message errorChain { error { message } } } failureMetadata { description }
  }
  ... on RunFailureEvent { message error { message } }
} } } }
"""


@dataclass(frozen=True)
class Outcome:
    """A run that was started: its status (SUCCESS, FAILURE, CANCELED, or where it stands), and why it failed."""

    run_id: str
    job: str
    status: str
    message: str = ""
    address: str = ""
    results: dict[str, Any] = field(default_factory=dict)

    def as_json(self) -> dict[str, Any]:
        """The outcome for programs."""
        return {"run_id": self.run_id, "job": self.job, "status": self.status} | (
            {"message": self.message} if self.message else {}
        ) | ({"results": self.results} if self.results else {})  # fmt: skip


def find_job(here: Deployment, name: str) -> dg.JobDefinition:
    """The job of this name; Refused with the known names when there is none."""
    definitions = build_definitions(here.settings, deployment=here)
    jobs = [job.name for job in definitions.resolve_all_job_defs() if not job.name.startswith("__")]
    if name not in jobs:
        near = difflib.get_close_matches(name, jobs, n=1)
        meant = f" (did you mean {near[0]}?)" if near else ""
        raise Refused(f"there is no job {name!r}{meant}; known: {', '.join(sorted(jobs))}")
    return definitions.resolve_job_def(name)


def parsed_pairs(pairs: Iterable[str]) -> dict[str, str]:
    """KEY=VALUE texts as a mapping; Refused for a text without '='."""
    out: dict[str, str] = {}
    for pair in pairs:
        key, equals, value = pair.partition("=")
        if not equals or not key.strip():
            raise Refused(f"--config {pair!r}: write it as key=value")
        out[key.strip()] = value
    return out


def run_config(job: dg.JobDefinition, given: dict[str, str]) -> dict[str, Any]:
    """Run configuration from key=value texts: a key goes to every op of the job that has it.

    Text fields take the text as it is, others what YAML reads (true, 90). Refused for a key that no op has and
    for a required one that is missing.
    """
    fields = _fields(job)
    known = sorted({key for own in fields.values() for key in own})
    for key in given:
        if key not in known:
            said = f"known: {', '.join(known)}" if known else "it takes none"
            raise Refused(f"{job.name} has no configuration {key!r}; {said}")
    ops: dict[str, Any] = {}
    for op, own in fields.items():
        missing = [key for key, spec in own.items() if spec.is_required and key not in given]
        if missing:
            raise Refused(
                f"{job.name} needs {', '.join(f'--config {key}=...' for key in missing)}; known: {', '.join(known)}"
            )
        values = {key: _typed(own[key], text) for key, text in given.items() if key in own}
        if values:
            ops[op] = {"config": values}
    return {"ops": ops} if ops else {}


def _fields(job: dg.JobDefinition) -> dict[str, dict[str, Any]]:
    """Configuration fields by op, for the ops that have any."""
    out: dict[str, dict[str, Any]] = {}
    for node in job.nodes:
        definition: Any = node.definition
        schema = getattr(definition, "config_schema", None)
        fields = getattr(getattr(schema, "config_type", None), "fields", None)
        if fields:
            out[node.name] = dict(fields)
    return out


def _typed(spec: Any, text: str) -> Any:
    kind = getattr(spec.config_type, "inner_type", spec.config_type)  # of an optional field
    scalar = getattr(kind, "scalar_type", kind)  # of a text that may come from the environment
    return text if getattr(getattr(scalar, "scalar_kind", None), "name", "") == "STRING" else yaml.safe_load(text)


# --- In this process ----------------------------------------------------------------------------------------


def in_process(here: Deployment, job: dg.JobDefinition, config: dict[str, Any]) -> Outcome:
    """Execute a job here and now, recorded in the Dagster instance of this state; its log is not printed."""
    with instance_of(here) as instance:
        result = job.execute_in_process(instance=instance, run_config=config | QUIET, raise_on_error=False)
        if result.success:
            return Outcome(result.run_id, job.name, "SUCCESS", results=_results(result.all_events))
        return Outcome(result.run_id, job.name, "FAILURE", _reason(result.all_events))


def instance_of(here: Deployment) -> dg.DagsterInstance:
    """The Dagster instance of this state; close it, or use it in a with statement."""
    return dg.DagsterInstance.from_config(str(dagster_home(here.settings)))


def _results(events: Iterable[dg.DagsterEvent]) -> dict[str, Any]:
    """Figures that the ops of a job noted with their output; those of assets are in the UI."""
    out: dict[str, Any] = {}
    for event in events:
        if event.is_successful_output:
            metadata = event.step_output_data.metadata
            out |= {name: value.value for name, value in metadata.items() if isinstance(value.value, (int, float, str))}
    return out


def _reason(events: Iterable[dg.DagsterEvent]) -> str:
    """Why the first failed step failed, in the words of what it raised."""
    failed = [event for event in events if event.is_step_failure or event.is_run_failure]
    for event in failed:
        data: Any = event.event_specific_data
        failure = getattr(data, "user_failure_data", None)
        if failure is not None and failure.description:
            return str(failure.description)
        error = getattr(data, "error", None)
        if error is not None:
            return str((error.cause or error).message).strip()
    return str(failed[0].message) if failed else ""


# --- Through the webserver ----------------------------------------------------------------------------------


def through_webserver(
    address: str, job: str, config: dict[str, Any], *, wait: bool, tell: Callable[[str], None]
) -> Outcome:
    """Queue a run where Dagster runs on this state; with `wait` until it has ended. `tell` hears of each step."""
    selector = {"repositoryLocationName": LOCATION, "repositoryName": REPOSITORY, "jobName": job}
    params = {"selector": selector, "runConfigData": config, "executionMetadata": {"tags": []}}
    answer = _ask(address, LAUNCH, {"params": params})["launchRun"]
    if answer["__typename"] != "LaunchRunSuccess":
        wrong = [one["message"] for one in answer.get("errors", [])] or [answer.get("message", answer["__typename"])]
        raise Failed(f"{address} did not take the run of {job}: {'; '.join(wrong)}")
    run_id, status = answer["run"]["runId"], answer["run"]["status"]
    tell(f"queued: {address}/runs/{run_id}")
    while wait and status not in FINISHED:
        time.sleep(POLL_S)
        found = _ask(address, STATUS, {"id": run_id})["runOrError"]
        if found["__typename"] != "Run":
            raise Failed(f"run {run_id} is not on record any more: {found.get('message', '')}")
        status = found["status"]
    message = _remote_reason(address, run_id) if status == "FAILURE" else ""
    results = _remote_results(address, run_id) if status == "SUCCESS" else {}
    return Outcome(run_id, job, status, message, address, results)


def _remote_results(address: str, run_id: str) -> dict[str, Any]:
    events = _ask(address, RESULTS, {"id": run_id})["logsForRun"].get("events", [])
    entries = [entry for event in events for entry in event.get("metadataEntries", [])]
    return {entry.pop("label"): next(iter(entry.values())) for entry in entries if len(entry) == 2}


def _remote_reason(address: str, run_id: str) -> str:
    events = _ask(address, REASON, {"id": run_id})["logsForRun"].get("events", [])
    for event in events:
        if event["__typename"] == "ExecutionStepFailureEvent":
            described = (event.get("failureMetadata") or {}).get("description")
            chain = [link["error"]["message"] for link in event["error"]["errorChain"]]
            return str(described or (chain[-1] if chain else event["error"]["message"])).strip()
    return next((str(event["message"]) for event in events if event["__typename"] == "RunFailureEvent"), "")


def _ask(address: str, query: str, variables: dict[str, Any]) -> dict[str, Any]:
    try:
        answer = httpx.post(f"{address}/graphql", json={"query": query, "variables": variables}, timeout=REQUEST_S)
        data: dict[str, Any] = answer.json()
    except (httpx.HTTPError, ValueError) as error:
        raise Failed(f"the Dagster that runs at {address} does not answer: {error or type(error).__name__}") from error
    if data.get("errors"):
        raise Failed(f"the Dagster that runs at {address} refused the question: {data['errors'][0]['message']}")
    return dict(data["data"])

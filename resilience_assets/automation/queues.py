"""Queues and limits that every job carries as run tags.

Belongs here: the tag of each queue and the longest a run may take. The same tag limits concurrency
in one process group (dagster.yaml) and routes in the scale-out mode.
"""

from __future__ import annotations

QUEUE = "dagster-celery/queue"
RESILIENCE, DEFAULT, NOTIFICATIONS = "resilience", "default", "notifications"


def run_tags(queue: str, max_runtime: int) -> dict[str, str]:
    """Run tags of a job: its queue and its longest runtime in seconds."""
    return {QUEUE: queue, "dagster/max_runtime": str(max_runtime)}

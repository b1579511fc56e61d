"""`python -m resilience_assets.cli`: the command without its console script."""

from __future__ import annotations

from resilience_assets.cli import main

main()

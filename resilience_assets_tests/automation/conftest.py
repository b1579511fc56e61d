"""Fixtures of a scratch deployment."""

from resilience_assets_tests.assets.deploying import at_once, demo, demo_file, scratch, small

__all__ = ["at_once", "demo", "demo_file", "scratch", "small"]

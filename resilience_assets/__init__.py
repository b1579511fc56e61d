"""Whose absence breaks the roster, when, and what do we do then: a Dagster asset pipeline.

This file imports nothing, so that importing one room of the package never starts another.
The plan of the house is in CONTRIBUTING.md.
"""

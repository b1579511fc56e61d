"""Measurements of what the product promises about speed and memory.

Belongs here: invented input of any size, measuring, one JSON object a figure. Does not belong here:
assertions (tests) or numbers that were measured once (docs).
"""

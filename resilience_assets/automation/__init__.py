"""When things run: jobs, schedules, sensors.

Belongs here: names, crons, queues, retries, what a sensor watches. Does not belong here: what a run
does (assets, actions). Clock work is on schedules; sensors are level-triggered and keep no memory
that matters.
"""

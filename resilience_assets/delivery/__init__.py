"""Getting what the outbox holds to its readers, over networks that fail.

Belongs here: channels and what their peers' answers mean, the guard of outbound connections, signatures, the
dispatcher. Does not belong here: who is told of what (alerting, policy), the outbox's tables (storage), where
addresses and secrets come from (resources reads the environment and hands them over).
"""

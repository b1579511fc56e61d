"""The record: tables, migrations, and one module a subject of functions over a connection.

Belongs here: SQL, what is stored where and under which key, coding of blobs. Does not belong here:
formulas (analysis), reading files (exchange), the clock. Every instant comes in as an argument;
every function works inside the transaction of the connection that it is given.
"""

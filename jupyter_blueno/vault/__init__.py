"""Secrets of a team: tokens and passwords that notebooks and jobs use by name.

Who sets one says its value once. From then on only its name is told, by rows in
the database; the value lies where a keeper put it, and is read by the work itself.
"""

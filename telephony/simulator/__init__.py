"""Twilio's side of the wire: a WSGI program that answers as Twilio's API does.

It stands behind the real SDK, so that the very same code runs against Twilio. It knows
nothing of our adapter, keeps its own state in its own SQLite file, and can be told to fail
in the ways that Twilio does (``faults.py``).
"""

"""Stripe's side of the wire: a WSGI program that answers as Stripe's API does.

It stands behind the real SDK, so that the very same code runs against Stripe. It shows the
hosted payment page, keeps its own state in its own SQLite file, and sends signed webhooks.
It knows nothing of the wallet.
"""

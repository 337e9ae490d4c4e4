"""Buying while everything breaks, and an audit afterwards (`make chaos`, docs/reliability.md).

What is broken is broken from outside: processes are killed, servers restarted, answers lost
at the wire. The product has no branch for it. The auditor shares no code with the product.
"""

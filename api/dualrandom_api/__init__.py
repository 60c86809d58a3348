"""The web service of dualrandom: routes, sessions, pages and their assets.

It asks the domain for everything that decides a draw, and decides nothing itself.
"""

"""Invented campaigns to try the whole thing on (虚构的示例活动): a small county and a city of real size.

Laws, the city's streets and the beacon are real; enterprises, people, classes, recusals and past visits are
made up, and their names say so. Everything follows from hashes, so every machine writes the same bytes.
"""

from dualrandom.demo.campaign import Scale, write_campaign

__all__ = ["Scale", "write_campaign"]

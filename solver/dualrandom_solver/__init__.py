"""The mathematics of dualrandom: arrays in, arrays and certificates out.

Nothing here knows an enterprise, a department or a database.
"""

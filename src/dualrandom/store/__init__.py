"""What the service keeps, and atomically: SQLModel tables and transactions on SQLite or PostgreSQL.

Whatever decides a draw is computed by the same functions that a campaign folder uses; this package keeps their inputs and
outputs, and sees to it that each step happens once. Needs the extra ``draw``.
"""

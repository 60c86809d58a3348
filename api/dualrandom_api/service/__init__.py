"""The database service: departments work together over a REST API (``dualrandom serve`` without ``--record``).

``application.create_service(settings)`` makes the application. Routes are in ``routes/``, one file a topic; what they keep and who
may see which row is decided in :mod:`dualrandom.store`; what holds for every route (who may call it, repeated requests, problem
documents) is in this package's own modules.
"""

"""The routes, one module a topic. Each has a ``router``; whatever lies here is served (see ``application``)."""

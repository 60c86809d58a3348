"""The libraries as they are read: enterprises, inspectors, items, recusals and past visits (一单两库).

:mod:`~dualrandom.registry.reader` reads them, :mod:`~dualrandom.registry.report` tells what is wrong with the files,
:mod:`~dualrandom.registry.templates` writes blank ones; the columns are in :mod:`~dualrandom.registry.columns`.
"""

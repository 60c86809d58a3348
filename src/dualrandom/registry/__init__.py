"""The libraries as they are read: enterprises, inspectors, items, recusals and past visits (一单两库)."""

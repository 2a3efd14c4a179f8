"""Trainings of these tests have one thread."""

from one_thread import _one_thread  # noqa: F401

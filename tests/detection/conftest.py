"""TensorFlow of these tests has one thread."""

from one_thread import _one_thread  # noqa: F401

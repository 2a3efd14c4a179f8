"""The one kind of error that a person is meant to read."""


class UserError(Exception):
    """What is wrong, where, and what to do about it.

    Raised for mistakes in the user's input, configuration or surroundings. The command line prints the message
    alone, without a traceback, and exits with status 1.
    """

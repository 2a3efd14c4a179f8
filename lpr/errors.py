"""The error whose message is written for the user."""


class UserError(Exception):
    """An error in the user's input, configuration or environment.

    The message names what is wrong, where, and what to do about it. The command line prints it without a traceback
    and exits with status 1.
    """

"""What stops a command, told to the person who typed it."""


class Problem(Exception):
    """One or two sentences: what is wrong and what to do. Shown without a traceback."""

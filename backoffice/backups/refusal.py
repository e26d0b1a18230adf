"""What the commands of a backup refuse, told to whoever sits at the terminal."""


class Refused(Exception):
    """No backup was written, or nothing was restored; the text is one sentence that says why."""

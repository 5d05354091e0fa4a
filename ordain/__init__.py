"""ordain: declared in git, ordained in production."""

__version__ = "0.1.0"

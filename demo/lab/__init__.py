"""Every service of the lab, and every limit: what the page and the scripts receive."""

from demo.lab.answers import LONGEST_TEXT
from demo.lab.lab import Lab

__all__ = ["LONGEST_TEXT", "Lab"]

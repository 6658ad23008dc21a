"""Comparing two texts: which paragraph became which, and which words of it changed.

Pure: plain values in, plain values out. It knows nothing of drafts, pages or the database.
"""

from consult.comparing.alignment import Block, align, displaced
from consult.comparing.words import Kind, Run, changes

__all__ = ["Block", "Kind", "Run", "align", "changes", "displaced"]

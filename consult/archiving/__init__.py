"""Archive files (归档文件): papers in order with their checksums, and proof that none was changed.

Standard library only and nothing of ours, so that a file can be verified on a machine that has no
site: `python -m consult.archiving FILE`.
"""

from consult.archiving.packing import Packed, Paper, pack
from consult.archiving.verifying import Fault, Verified, Wrong, verify

__all__ = ["Fault", "Packed", "Paper", "Verified", "Wrong", "pack", "verify"]

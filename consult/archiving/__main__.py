"""`python -m consult.archiving FILE`: verify an archive file without a site; 1 when it is not whole."""

import sys
from pathlib import Path

from consult.archiving.verifying import Verified, verify


def report(found: Verified) -> list[str]:
    """What was found, a line each."""
    if found.faults:
        return [f"{each.name or '整个文件'}：{each.wrong.value}" for each in found.faults]
    what = found.about.get("title", "")
    return [f"完整，未被改动：{what}，共{found.papers}份材料。", f"封存码：{found.seal}"]


def main() -> int:
    """Verify the file named on the command line."""
    if len(sys.argv) != 2:
        print("用法：python -m consult.archiving FILE", file=sys.stderr)
        return 2
    try:
        found = verify(Path(sys.argv[1]))
    except OSError as error:
        print(f"读不了这个文件：{error.strerror}", file=sys.stderr)
        return 2
    print("\n".join(report(found)), file=sys.stderr if found.faults else sys.stdout)
    return 1 if found.faults else 0


if __name__ == "__main__":
    sys.exit(main())

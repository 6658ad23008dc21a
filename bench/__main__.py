"""Run all benchmarks, or those named on the command line."""

import importlib
import os
import sys

ALL = (
    "draft_page",
    "comment_post",
    "importing",
    "whole_way",
    "summary",
    "comparing",
    "finding",
    "adoption",
    "points_desk",
    "review_round",
    "serving",
    "term_index",
    "term_shelf",
    "text_engine",
    "quality",
)


def main() -> None:
    """Run and print. Each is loaded when its turn comes: a process that is started to compute
    loads this module anew, and must not pay for the whole site."""
    names = sys.argv[1:] or ALL
    unknown = [name for name in names if name not in ALL]
    if unknown:
        raise SystemExit(f"unknown: {', '.join(unknown)}; there are {', '.join(ALL)}")
    # A site that is in use is not what is written to.
    os.environ.pop("DATABASE_URL", None)
    for name in names:
        print(f"\n== {name}", flush=True)
        importlib.import_module(f"bench.{name}").run()


if __name__ == "__main__":
    main()

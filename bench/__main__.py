"""Run all benchmarks, or those named on the command line."""

import sys

from bench import (
    adoption,
    comment_post,
    comparing,
    draft_page,
    finding,
    importing,
    points_desk,
    quality,
    review_round,
    serving,
    summary,
    term_index,
    term_shelf,
    text_engine,
)

ALL = {
    "draft_page": draft_page.run,
    "comment_post": comment_post.run,
    "importing": importing.run,
    "summary": summary.run,
    "comparing": comparing.run,
    "finding": finding.run,
    "adoption": adoption.run,
    "points_desk": points_desk.run,
    "review_round": review_round.run,
    "serving": serving.run,
    "term_index": term_index.run,
    "term_shelf": term_shelf.run,
    "text_engine": text_engine.run,
    "quality": quality.run,
}


def main() -> None:
    """Run and print."""
    names = sys.argv[1:] or list(ALL)
    unknown = [name for name in names if name not in ALL]
    if unknown:
        raise SystemExit(f"unknown: {', '.join(unknown)}; there are {', '.join(ALL)}")
    for name in names:
        print(f"\n== {name}", flush=True)
        ALL[name]()


if __name__ == "__main__":
    main()

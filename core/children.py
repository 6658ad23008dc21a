"""A process that computes for another. It loads nothing but this, and what it is to compute."""

import multiprocessing
import os
import threading


def end_with_parent() -> None:
    """Have this process end when the one that began it is gone, however that came: it would wait for
    work for ever."""
    parent = multiprocessing.parent_process()
    if parent is None:
        raise RuntimeError("this process was not begun by another")

    def watch() -> None:
        parent.join()
        os._exit(1)

    threading.Thread(target=watch, name="end-with-parent", daemon=True).start()

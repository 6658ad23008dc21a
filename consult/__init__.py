"""Public consultation on a plan: programme, drafts, opinions, their analysis and the answers."""

import os

# Before numpy is loaded: what we compute is small, and several threads at it wait for each other
# longer than they work (grouping 200 opinions on two busy cores: 6 s instead of 0.3), while sums in
# another order end in other digits. Whoever wants more sets it; processes are our way to use cores.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

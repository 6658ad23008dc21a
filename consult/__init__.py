"""Public consultation on a plan: programme, drafts, opinions, their analysis and the answers."""

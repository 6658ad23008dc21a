"""The public advisory panel (公众咨询团). It reads consult; consult never asks the panel."""

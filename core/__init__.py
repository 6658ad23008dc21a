"""What both halves stand on and neither owns: settings, accounts, rights, audit, errors."""

"""What both halves stand on and neither owns: settings, session, accounts, permissions, audit, errors."""

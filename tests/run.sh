#!/bin/sh
# Everything that must hold: lint, types, import contracts, the tests on SQLite and on a real
# PostgreSQL, browser journeys included. Installs Debian's Chromium when it is missing and can be.
set -u
failed=0
step() { printf '\n== %s\n' "$1"; shift; "$@" || { failed=1; printf '!! failed: %s\n' "$*"; }; }

if ! command -v chromium >/dev/null 2>&1; then
  if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null 2>&1; then
    echo "Installing Chromium for the browser journeys"
    { apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq chromium; } >/tmp/wenji-apt.log 2>&1 \
      || echo "Chromium could not be installed (see /tmp/wenji-apt.log): browser journeys will be skipped"
  else
    echo "No Chromium and no way to install it here: browser journeys will be skipped"
  fi
fi

# Each commit has an order of its own: what is red here is red everywhere, and the next one tries another.
commit=$(git rev-parse --short=7 HEAD 2>/dev/null)
seed=$((0x${commit:-0}))

# What takes one core only is done beside the tests, and told after them. The import contracts are
# kept by tests/test_architecture.py.
told=$(mktemp)
{
  step "ruff" ruff check .
  step "ruff format" ruff format --check --quiet .
  step "mypy" mypy
  exit $failed
} >"$told" 2>&1 &
beside=$!
step "tests on SQLite" pytest -n 2 -q --dist worksteal --randomly-seed="$seed"
wait "$beside" || failed=1
cat "$told"
rm "$told"
step "tests on PostgreSQL" pytest -n 2 -q --dist worksteal --randomly-seed="$seed" --database=postgres -m "not browser and not pure and not once"
exit $failed

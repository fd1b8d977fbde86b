#!/usr/bin/env bash
# Trains a list of runs, each on one thread, JOBS (2) at a time: eng/runs.sh [folder for the runs] < list
# A line of the list is `task label seed algorithm env steps [name=value ..]`; the run goes to <folder>/<task>/<label>/<seed>, what it prints to
# a .log beside it. Empty lines and those that begin with # are left out. Runs that are finished are not done again and interrupted ones go on, so it
# can be stopped and started. MARL names a `marl` command to be used in place of this checkout's, which is built first.
set -euo pipefail
root=$(cd "$(dirname "$0")/.." && pwd)
export runs=${1:-runs}
if [ -z "${MARL:-}" ]; then
  dotnet build -c Release "$root/src/Cli" --nologo -v quiet >&2
  MARL="dotnet $root/src/Cli/bin/Release/net10.0/marl.dll"
fi
export MARL

train() {
  local task label seed algorithm env steps settings
  read -r task label seed algorithm env steps settings <<<"$1"
  [ -n "$steps" ] || { echo "'$1' is no run: task label seed algorithm env steps [name=value ..]" >&2; return 1; }
  local run=$runs/$task/$label/$seed
  grep -qs '"finished": true' "$run/summary.json" && return
  mkdir -p "$runs/$task/$label"
  set -f # settings are words, never names of files
  if [ -f "$run/config.json" ]; then
    set -- resume "$run"
  else
    set -- train "$algorithm" --env "$env" --steps "$steps" --seed "$seed" --out "$run" ${settings:+--set $settings}
  fi
  $MARL "$@" --threads 1 >>"$run.log" 2>&1 || { echo "$run failed, see $run.log" >&2; return 1; }
}
export -f train
sed -E '/^[[:space:]]*(#|$)/d' | xargs -r -d '\n' -n 1 -P "${JOBS:-2}" bash -c 'train "$1"' train

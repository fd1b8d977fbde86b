#!/usr/bin/env bash
# Lets agents of different trainings meet: eng/cross-play.sh <folder>/<task>. The first team is trained as the row says, the others as the column, run by run of
# the same seed; printed is the first team's return, the mean over seeds of 200 episodes.
set -euo pipefail
runs=$(cd "${1:?a folder with a folder for every label}" && pwd)
cd "$(dirname "$0")/.."
[ -n "${MARL:-}" ] || { dotnet build -c Release src/Cli --nologo -v quiet >&2; MARL="dotnet src/Cli/bin/Release/net10.0/marl.dll"; }
labels=$(ls "$runs")
echo "| first team \\ others |$(printf ' %s |' $labels)"
echo "| --- |$(printf ' ---: |%.0s' $labels)"
for row in $labels; do
  printf '| %s |' "$row"
  for column in $labels; do
    for run in "$runs/$row"/*/; do
      seed=$(basename "$run")
      [ -f "$run/summary.json" ] && [ -f "$runs/$column/$seed/summary.json" ] || continue
      $MARL eval "$run" --against "$runs/$column/$seed" --episodes 200 --seed "$seed" --json
    done | sed 's/.*"teamReturnMeans": *\[\([^],]*\).*/\1/' | awk '{ sum += $1 } END { printf " %.2f |", sum / NR }'
  done
  echo
done

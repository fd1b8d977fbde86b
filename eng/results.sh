#!/usr/bin/env bash
# Trains what a page of docs/results reports, and prints its tables: eng/results.sh <page> [part ..]. A page is a file of eng/results; its parts are the
# functions of that file, each of which lists runs for eng/runs.sh. By default all parts, which takes hours. Runs are kept in runs/<page>/<part>; finished
# ones are not done again.
set -euo pipefail
cd "$(dirname "$0")/.."
page=${1:-}
if [ ! -f "eng/results/$page.sh" ]; then
  echo "there is no page '$page'; there are: $(ls eng/results | sed 's/\.sh$//' | tr '\n' ' ')" >&2
  exit 2
fi
shift
. "eng/results/$page.sh"
parts=$(declare -F | sed 's/.* //' | tr '\n' ' ')
for part in "$@"; do
  [[ " $parts " == *" $part "* ]] || { echo "the page '$page' has no part '$part'; it has: $parts" >&2; exit 2; }
done
dotnet build -c Release src/Cli --nologo -v quiet >&2
dotnet build -c Release bench --nologo -v quiet >&2
for part in ${*:-$parts}; do
  "$part" | MARL="dotnet src/Cli/bin/Release/net10.0/marl.dll" eng/runs.sh "runs/$page/$part"
  dotnet bench/bin/Release/net10.0/Marl.Native.Bench.dll results "runs/$page/$part" --published docs/results/published.csv --svg "docs/results/$page-$part.svg"
done

#!/usr/bin/env bash
# Environment steps per second of whole training (acting, stepping, learning), with one thread and with two: eng/throughput.sh [algorithm ..]. Recurrent
# agents of 128 units, the defaults otherwise; the median of three rounds, in each of which every case runs once. The machine should do nothing else.
set -euo pipefail
cd "$(dirname "$0")/.."
dotnet build -c Release src/Cli --nologo -v quiet >&2
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
algorithms=${*:-iql vdn qmix ia2c ippo maa2c mappo coma}

# Replay is slower by the updates it makes for every episode, so it is given fewer steps.
steps() { case $1 in iql | vdn | qmix) echo 10000 ;; *) echo 80000 ;; esac; }

for round in 1 2 3; do
  for algorithm in $algorithms; do
    for env in lbf:8x8-2p-2f-coop rware:tiny-4ag; do
      for threads in 1 2; do
        dotnet src/Cli/bin/Release/net10.0/marl.dll train "$algorithm" --env "$env" --steps "$(steps "$algorithm")" --seed "$round" --threads "$threads" \
          --out "$folder/run" --set agent=gru hidden=128 evaluationInterval=0 evaluationEpisodes=1 checkpointInterval=0 >/dev/null 2>&1
        grep -o '"stepsPerSecond": [0-9]*' "$folder/run/summary.json" | cut -d' ' -f2 >>"$folder/$algorithm-$env-$threads"
        rm -rf "$folder/run"
      done
    done
  done
done

median() { sort -n "$1" | sed -n 2p; }
echo "| algorithm | lbf:8x8-2p-2f-coop, one thread | two | rware:tiny-4ag, one thread | two |"
echo "| --- | ---: | ---: | ---: | ---: |"
for algorithm in $algorithms; do
  printf '| %s |' "$algorithm"
  for env in lbf:8x8-2p-2f-coop rware:tiny-4ag; do
    for threads in 1 2; do
      printf ' %s |' "$(median "$folder/$algorithm-$env-$threads")"
    done
  done
  echo
done

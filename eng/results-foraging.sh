#!/usr/bin/env bash
# Trains IQL, VDN and QMIX on lbf:8x8-2p-2f-coop, five seeds each, two runs at a time, and prints the table of docs/results/foraging.md.
# eng/results-foraging.sh [folder for the runs]      Runs that are finished are not done again, so it can be stopped and started.
set -euo pipefail
cd "$(dirname "$0")/.."
runs=${1:-runs/foraging}
settings="agent=mlp hidden=64 lambda=0.8 learningRate=0.001 updatesPerEpisode=2 epsilonAnneal=100000 evaluateEvery=50000"
dotnet build -c Release src/Cli --nologo -v quiet
mkdir -p "$runs"

train() {
  local run=$1/$2-$3
  [ -f "$run/summary.json" ] && grep -q '"finished": true' "$run/summary.json" && return
  if [ -f "$run/config.json" ]; then
    dotnet src/Cli/bin/Release/net10.0/marl.dll resume "$run" --threads 1 >"$run.log"
  else
    dotnet src/Cli/bin/Release/net10.0/marl.dll train "$2" --env lbf:8x8-2p-2f-coop --steps 1000000 --seed "$3" --threads 1 \
      --set $settings --out "$run" >"$run.log"
  fi
}
export -f train
export settings
for seed in 1 2 3 4 5; do for algorithm in vdn iql qmix; do echo "$algorithm $seed"; done; done |
  xargs -P 2 -L 1 bash -c 'train "$0" "$1" "$2"' "$runs"

# The k-th evaluations of all seeds stand at the same step but for a part of an episode. Published maxima are those of the mean over seeds.
echo "| algorithm | seeds | greatest mean over seeds of the greedy return | 95 % interval | at step | last | steps/s, one thread |"
echo "|---|---|---|---|---|---|---|"
for algorithm in iql vdn qmix; do
  awk -F, -v name="$algorithm" '
    FNR == 1 { seeds++; next }
    { k = FNR - 1; n[k]++; sum[k] += $4; squares[k] += $4 * $4; step[k] += $1; speed[FILENAME] = $1 / $14 }
    function half(k,  m, t) { m = sum[k] / n[k]; t = n[k] == 5 ? 2.776 : 1.96
      return t * sqrt((squares[k] - n[k] * m * m) / (n[k] - 1) / n[k]) }
    END {
      for (k in n) if (n[k] == seeds) { if (best == "" || sum[k] > sum[best]) best = k; if (k + 0 > last) last = k + 0 }
      for (file in speed) rate += speed[file] / seeds
      printf "| %s | %d | %.3f | +-%.3f | %.0f | %.3f +-%.3f | %.0f |\n", name, seeds, sum[best] / seeds, half(best), step[best] / seeds,
        sum[last] / seeds, half(last), rate }' "$runs/$algorithm"-?/metrics.csv
done

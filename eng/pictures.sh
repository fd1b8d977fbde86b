#!/usr/bin/env bash
# Makes the pictures of docs/images: trains agents on foraging, in the warehouse and in a particle world, plays them, and draws the learning curve of foraging over environment steps,
# and over seconds, which depend on the machine, in runs/pictures.
# Runs are kept in runs/pictures, and finished ones are not done again.
set -euo pipefail
cd "$(dirname "$0")/.."
dotnet build -c Release src/Cli --nologo -v quiet >&2
dotnet build -c Release bench --nologo -v quiet >&2
marl() { dotnet src/Cli/bin/Release/net10.0/marl.dll "$@"; }
runs=runs/pictures

# One after the other, so that the seconds of the curve are those of one run with a core of its own.
marl sweep results/pictures/sweep.json --out "$runs" --jobs 1

marl play "$runs/lbf-8x8-2p-2f-coop/ia2c/1" --episodes 3 --svg docs/images/foraging.svg
marl play "$runs/rware-.x.x.-.x.x.-.....-..g..-2ag-steps-100/mappo/1" --seed 2 --svg docs/images/warehouse.svg
marl play "$runs/mpe-tag/ippo/1" --seed 4 --svg docs/images/tag.svg
curves() { dotnet bench/bin/Release/net10.0/Marl.Native.Bench.dll results "$runs/lbf-8x8-2p-2f-coop" "$@"; }
curves --svg docs/images/learning-curve.svg
curves --seconds --svg "$runs/learning-curve-seconds.svg"

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
export MARL="dotnet src/Cli/bin/Release/net10.0/marl.dll"

# One after the other, so that the seconds of the curve are those of one run with a core of its own.
JOBS=1 eng/runs.sh "$runs" <<'LIST'
# task label seed algorithm env steps settings
lbf:8x8-2p-2f-coop ia2c 1 ia2c lbf:8x8-2p-2f-coop 500000 agent=mlp hidden=64 learningRate=0.001 evaluationInterval=20000
lbf:8x8-2p-2f-coop ia2c 2 ia2c lbf:8x8-2p-2f-coop 500000 agent=mlp hidden=64 learningRate=0.001 evaluationInterval=20000
lbf:8x8-2p-2f-coop ia2c 3 ia2c lbf:8x8-2p-2f-coop 500000 agent=mlp hidden=64 learningRate=0.001 evaluationInterval=20000
lbf:8x8-2p-2f-coop ia2c 4 ia2c lbf:8x8-2p-2f-coop 500000 agent=mlp hidden=64 learningRate=0.001 evaluationInterval=20000
lbf:8x8-2p-2f-coop ia2c 5 ia2c lbf:8x8-2p-2f-coop 500000 agent=mlp hidden=64 learningRate=0.001 evaluationInterval=20000
LIST
JOBS=2 eng/runs.sh "$runs" <<'LIST'
warehouse mappo 1 mappo rware:.x.x./.x.x./...../..g..-2ag?steps=100 400000 agent=mlp hidden=64 learningRate=0.001
tag ippo 1 ippo mpe:tag 1500000 agent=mlp hidden=64 learningRate=0.0007
LIST

marl play "$runs/lbf:8x8-2p-2f-coop/ia2c/1" --episodes 3 --svg docs/images/foraging.svg
marl play "$runs/warehouse/mappo/1" --seed 2 --svg docs/images/warehouse.svg
marl play "$runs/tag/ippo/1" --seed 4 --svg docs/images/tag.svg
curves() { dotnet bench/bin/Release/net10.0/Marl.Native.Bench.dll results "$runs/lbf:8x8-2p-2f-coop" "$@"; }
curves --svg docs/images/learning-curve.svg
curves --seconds --svg "$runs/learning-curve-seconds.svg"

#!/usr/bin/env bash
# On a machine with a GPU: what it has, all tests of the GPU, and the tables for docs/performance.md, beside PyTorch's if PYTHON (python3) has it. Results go to the
# folder named, by default gpu-table.
set -euo pipefail
cd "$(dirname "$0")/.."
out=${1:-gpu-table}
mkdir -p "$out"
dotnet build -c Release --nologo -v quiet
dotnet src/Cli/bin/Release/net10.0/marl.dll doctor | tee "$out/doctor.txt"
MARL_GPU=all dotnet test -c Release tests --no-build --nologo --filter FullyQualifiedName~Tests.Gpu 2>&1 | tee "$out/tests.txt"
dotnet bench/bin/Release/net10.0/Marl.Native.Bench.dll gpu | tee "$out/table.md"
dotnet bench/bin/Release/net10.0/Marl.Native.Bench.dll gpu sizes | "${PYTHON:-python3}" bench/peers/gpu.py | tee "$out/pytorch.md" || true
# TF32 needs sm_80, cuBLAS its library: what is missing is left out.
for words in +tf32 +cublas +nographs +cublas+tf32 +tf32+nographs; do
  dotnet bench/bin/Release/net10.0/Marl.Native.Bench.dll gpu "cuda$words" | tee "$out/table${words//+/-}.md" || true
done
for device in cpu cuda cuda+tf32 cuda+cublas cuda+nographs cuda+cublas+tf32 cuda+tf32+nographs; do
  dotnet src/Cli/bin/Release/net10.0/marl.dll train qmix --env lbf:8x8-2p-2f-coop --steps 20000 --seed 1 --device "$device" \
    --out "$out/qmix-$device" --json > "$out/qmix-$device.jsonl" || continue
  cat "$out/qmix-$device/summary.json"
done

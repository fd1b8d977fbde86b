#!/usr/bin/env bash
# Counts what an update launches on a GPU, without one: on the CUDA driver of the tests, which interprets PTX. Needs gcc. Arguments go to bench gpu-count.
set -euo pipefail
cd "$(dirname "$0")/.."
driver=$(mktemp -d)
trap 'rm -r "$driver"' EXIT
gcc -O3 -march=native -std=gnu11 -ffp-contract=off -fno-strict-aliasing -fPIC -shared -Wl,-Bsymbolic -Wl,-soname,libcuda.so.1 -o "$driver/libcuda.so.1" \
  tests/Gpu/Driver/*.c -lm -lpthread
dotnet build -c Release bench --nologo -v quiet
LD_LIBRARY_PATH="$driver${LD_LIBRARY_PATH:+:$LD_LIBRARY_PATH}" dotnet bench/bin/Release/net10.0/Marl.Native.Bench.dll gpu-count "$@"

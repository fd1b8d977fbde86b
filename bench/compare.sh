#!/usr/bin/env bash
# The same work here and in PyTorch, side by side: builds, finds a Python that has PyTorch (or the one named by PYTHON), and compares.
# What is understood: --case TEXT, --rounds N, --quick, --check, --detail, --markdown, --alone.
set -euo pipefail
cd "$(dirname "$0")/.."
export DOTNET_CLI_TELEMETRY_OPTOUT=1 DOTNET_NOLOGO=1
# The peer's BLAS is to run at its best, which is tried out, and not as some shell was left.
unset OPENBLAS_CORETYPE ATEN_CPU_CAPABILITY

has_torch() { "$1" -c 'import importlib.util, sys; sys.exit(importlib.util.find_spec("torch") is None)' 2>/dev/null; }
python=${PYTHON:-}
if [ -z "$python" ]; then
  python=/usr/bin/python3
  if ! has_torch "$python" && has_torch python3; then
    python=$(command -v python3)
  fi
fi

for project in src/Cli bench; do
  if ! log=$(dotnet build -c Release -v quiet --nologo "$project"); then
    echo "$log" >&2
    exit 1
  fi
done
exec dotnet bench/bin/Release/net10.0/Marl.Native.Bench.dll compare \
  --python "$python" --marl "${MARL:-$PWD/src/Cli/bin/Release/net10.0/marl.dll}" "$@"

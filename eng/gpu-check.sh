#!/usr/bin/env bash
# Tests and measures on a machine with a GPU that has no .NET.
#
#   eng/gpu-check.sh prepare [FOLDER]        here: makes FOLDER.tar.xz (artifacts/gpu-check) with a program that needs no .NET, and this script
#   ./gpu-check.sh run [--quick] [RESULTS]   there, in the unpacked folder: at most eight minutes
#
# run writes to the folder RESULTS (results), a file for each step, and prints all of it. A step that fails or takes too long is named at the end; the others run
# all the same. DEVICE (cuda:0) names the device, PYTHON (python3) an interpreter with PyTorch and JAX. --quick: tiny sizes and five times the time, for a
# rehearsal on the CUDA driver of the tests, which interprets: LD_LIBRARY_PATH has its folder.
set -uo pipefail

prepare() {
  set -e
  cd "$(dirname "$0")/.."
  local folder=${1:-artifacts/gpu-check}
  rm -rf "$folder" "$folder.tar.xz"
  dotnet publish tests -c Release -r linux-x64 --self-contained -o "$folder/app" -p:SatelliteResourceLanguages=en -p:DebugType=none \
    -p:UseAppHost=true -p:ValidateExecutableReferencesMatchSelfContained=false -p:PublishReadyToRun=false --nologo -v quiet
  # Libraries of other systems, documentation, and the hosts of other programs.
  rm -rf "$folder"/app/{amd64,arm64,x86,*.pdb,Marl*.xml}
  cp -r bench/peers "$folder/peers"
  cp "$0" "$folder/gpu-check.sh"
  tar -C "$(dirname "$folder")" -cf - "$(basename "$folder")" | xz -T0 -6 >"$folder.tar.xz"
  local bytes
  bytes=$(stat -c %s "$folder.tar.xz")
  echo "$folder.tar.xz: $((bytes >> 20)) MiB"
  [ "$bytes" -lt $((64 << 20)) ]
}

failures=()

# step NAME SECONDS COMMAND ..: runs a command until it ends, its time is up, or that of all steps.
step() {
  local name=$1 seconds=$(($2 * slow)) left=$((MOST * slow - SECONDS)) began=$SECONDS code=0
  shift 2
  echo "== $name"
  if [ "$left" -le 0 ]; then
    failures+=("$name: no time was left")
    return
  fi
  timeout -k 5 "$((seconds < left ? seconds : left))" "$@" 2>&1 | tee "$results/$name.txt" || code=$?
  [ "$code" -eq 0 ] || failures+=("$name: $([ "$code" -eq 124 ] && echo "took more than its time" || echo "ended with $code")")
  echo "-- $name: $((SECONDS - began)) s"
}

# Two runs with the same seed must have the same weights. Prints the steps per second of the second, when everything was compiled.
twice() { # algorithm, environment, device, options of train
  local algorithm=$1 environment=$2 device=$3 run
  shift 3
  for run in first second; do
    app/Marl.Native.Tests marl train "$algorithm" --env "$environment" --seed 1 --device "$device" --out "$results/runs/$algorithm-${environment//[:\/]/-}-$device-$run" "$@" \
      >"$results/train.log" 2>&1 || { tail -5 "$results/train.log"; return 1; }
  done
  field() { grep -o "\"$2\": [^,]*" "$results/runs/$algorithm-${environment//[:\/]/-}-$device-$1/summary.json"; }
  echo "$algorithm in $environment on $device: $(field second stepsPerSecond), $(field second updates), $(field second weightsSha256)"
  [ "$(field first weightsSha256)" = "$(field second weightsSha256)" ] || { echo "the first run had $(field first weightsSha256)"; return 1; }
}

run() {
  cd "$(dirname "$0")"
  local quick=() slow=1 device=${DEVICE:-cuda:0} python=${PYTHON:-python3}
  [ "${1:-}" = --quick ] && { quick=(--quick) slow=5; shift; }
  results=$(mkdir -p "${1:-results}" && cd "${1:-results}" && pwd)
  MOST=${MOST:-475}
  SECONDS=0
  export results DOTNET_CLI_TELEMETRY_OPTOUT=1
  export -f twice
  local program=app/Marl.Native.Tests small=(--set evaluationInterval=0)
  local ops=(Gpu.OpTests Gpu.PrimitiveTests Gpu.PointwiseTests Gpu.GruTests Gpu.LongSumTests) tensor=Gpu.Tf32Tests reference=Gpu.ReferenceTests
  local training=(Gpu.TrainingTests.LearnsWhatTheCpuLearns Gpu.TrainingTests.WeightsOfTheirOwn) steps=20000 ppo=400000 worlds=512
  if [ ${#quick[@]} -gt 0 ]; then
    small+=(batchSize=2 hidden=8 mixer.embed=4 mixer.hypernetEmbed=8)
    ops=(Gpu.GruTests Gpu.PrimitiveTests) tensor=Gpu.Tf32Tests.Products reference='test: "TargetsReference' training=(Gpu.TrainingTests.WeightsOfTheirOwn)
    steps=200 ppo=200 worlds=4
  fi

  step doctor 20 "$program" marl doctor
  step ops 80 "$program" tests "$device" "${ops[@]}"
  step tensor-cores 30 "$program" tests "$device+tf32" "$tensor"
  step reference 70 "$program" tests "$device" "$reference"
  step training 60 "$program" tests "$device" "${training[@]}"
  step equal-qmix 30 bash -c 'twice "$@"' - qmix lbf:8x8-2p-2f-coop "$device" --steps "$steps" "${small[@]}"
  step equal-qmix-nographs 30 bash -c 'twice "$@"' - qmix lbf:8x8-2p-2f-coop "$device+nographs" --steps "$steps" "${small[@]}"
  step table 60 "$program" bench gpu "${quick[@]}" "$device"
  step updates 60 "$program" bench gpu "${quick[@]}" --updates "$device"+{nographs,tf32,cublas,cublas+tf32}
  step pytorch 100 bash -c "$program bench gpu ${quick[*]} sizes | $python peers/gpu.py ${quick:+cpu}"
  step environments-jax 30 "$python" peers/foraging.py "${quick[@]}"
  local environment where
  for environment in lbf:8x8-2p-2f-coop mpe:spread; do
    for where in cpu "$device"; do
      step "ppo-${environment//[:\/]/-}-${where%%:*}" 40 bash -c 'twice "$@"' - ippo "$environment" "$where" --steps "$ppo" --set environments="$worlds" \
        evaluationInterval=0 ${quick:+hidden=8}
    done
  done
  echo "== $SECONDS s"
  printf 'failed: %s\n' "${failures[@]}"
  [ ${#failures[@]} -eq 0 ]
}

case ${1:-} in
  prepare | run) "$@" ;;
  *) sed -n '2,10s/^# \{0,1\}//p' "$0" && exit 2 ;;
esac

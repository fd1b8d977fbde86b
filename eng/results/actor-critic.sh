# The runs of docs/results/actor-critic.md, for eng/results.sh. Every seed of all labels comes before the next seed, so that runs cut short still compare
# like with like.
# shellcheck shell=bash

# One setting for all algorithms of these domains, by a few runs of seed 1, which is not among those reported; COMA keeps its own learning rates.
small="agent=mlp hidden=64 criticHidden=64"
fast="$small learningRate=0.001"
declare -A network=([coma]=$small)
# Replay makes an update per episode: the same networks, the other defaults, and a quarter of the published 2,000,000 steps.
replay="hidden=64 criticHidden=64"

# The defaults, which follow what was published.
matrix() {
  for seed in 1 2 3 4 5; do
    for task in climbing penalty-0 penalty-25 penalty-50 penalty-75 penalty-100; do
      for algorithm in reinforce ia2c ippo maa2c mappo coma liir pareto-ac; do
        echo "$task $algorithm $seed $algorithm $task 500000"
      done
      echo "$task maddpg $seed maddpg $task 250000"
    done
  done
}

foraging() {
  for seed in 11 12 13 14 15; do
    for algorithm in ia2c ippo maa2c mappo coma; do
      echo "lbf-v1:8x8-2p-2f-coop $algorithm $seed $algorithm lbf-v1:8x8-2p-2f-coop 5000000 ${network[$algorithm]-$fast}"
      echo "lbf-v1:10x10-3p-3f $algorithm $seed $algorithm lbf-v1:10x10-3p-3f 10000000 ${network[$algorithm]-$fast}"
      echo "lbf-v1:15x15-3p-5f $algorithm $seed $algorithm lbf-v1:15x15-3p-5f 20000000 ${network[$algorithm]-$fast}"
    done
    for task in 8x8-2p-2f-coop 10x10-3p-3f 15x15-3p-5f; do
      echo "lbf-v1:$task maddpg $seed maddpg lbf-v1:$task 500000 $replay"
    done
  done
}

# The same tasks by the rules of version 3, where they differ.
version3() {
  for seed in 11 12 13 14 15; do
    for algorithm in ia2c ippo maa2c mappo coma; do
      echo "lbf:10x10-3p-3f $algorithm $seed $algorithm lbf:10x10-3p-3f 2500000 ${network[$algorithm]-$fast}"
      echo "lbf:15x15-3p-5f $algorithm $seed $algorithm lbf:15x15-3p-5f 5000000 ${network[$algorithm]-$fast}"
    done
  done
}

# What is delivered was fetched long before: longer returns, by a few runs of seed 1 too.
warehouse() {
  for seed in 11 12 13 14 15; do
    for task in rware:tiny-2ag rware:tiny-4ag; do
      for algorithm in ia2c ippo maa2c mappo coma; do
        echo "$task $algorithm $seed $algorithm $task 10000000 ${network[$algorithm]-$fast} lambda=0.95"
      done
    done
  done
}

# PPO learns spread faster in smaller steps and with lambda returns, by a run of seed 1 again; beside it what it does with the setting of the others.
particles() {
  local ppo="$small learningRate=0.0003 lambda=0.95"
  local -A spread=([ippo]=$ppo [mappo]=$ppo [coma]=$small)
  for seed in 11 12 13 14 15; do
    for algorithm in ia2c ippo maa2c mappo coma; do
      echo "mpe-v0:spread $algorithm $seed $algorithm mpe-v0:spread 20000000 ${spread[$algorithm]-$fast}"
      echo "mpe-v0:speaker-listener $algorithm $seed $algorithm mpe-v0:speaker-listener 20000000 ${network[$algorithm]-$fast}"
    done
    for algorithm in ippo mappo; do
      echo "mpe-v0:spread $algorithm-0.001 $seed $algorithm mpe-v0:spread 20000000 $fast"
    done
    for task in spread speaker-listener; do
      echo "mpe-v0:$task maddpg $seed maddpg mpe-v0:$task 500000 $replay"
    done
  done
}

# Worlds whose other team learns no more: bench/peers/opponents.py makes it of what the authors of the published figures trained beforehand.
opponents() {
  for seed in 11 12 13 14 15; do
    for algorithm in ia2c mappo maa2c ippo coma; do
      echo "mpe-v0:tag $algorithm $seed $algorithm against:runs/opponents/tag.safetensors 5000000 ${network[$algorithm]-$fast} reward=sum"
      echo "mpe-v0:adversary $algorithm $seed $algorithm against:runs/opponents/adversary.safetensors?team=1 5000000 ${network[$algorithm]-$fast} reward=sum"
    done
    echo "mpe-v0:tag maddpg $seed maddpg against:runs/opponents/tag.safetensors 500000 $replay reward=sum"
    echo "mpe-v0:adversary maddpg $seed maddpg against:runs/opponents/adversary.safetensors?team=1 500000 $replay reward=sum"
  done
}

# Rivals that learn against each other, with the options of Lowe et al. 2017; eng/cross-play.sh then lets them meet.
rivals() {
  local lowe="agent=mlp hidden=64 criticHidden=64 learningRate=0.001 targetUpdateInterval=1 targetTau=0.01 shareParameters=false agentId=false others=stored environments=8"
  local settings="$lowe updatesPerEpisode=0.5 evaluationInterval=50000 greedyEvaluation=true"
  for seed in 11 12 13 14 15; do
    echo "mpe:adversary ddpg $seed ddpg mpe:adversary 300000 $settings"
    echo "mpe:adversary maddpg $seed maddpg mpe:adversary 300000 $settings critic=observations"
    echo "mpe:adversary inference $seed maddpg mpe:adversary 300000 $settings critic=observations inferPolicies=true"
    echo "mpe:adversary ensemble $seed maddpg mpe:adversary 300000 $settings critic=observations ensembleSize=3"
  done
}

# The same algorithm with and without what agents pay themselves.
intrinsic() {
  for seed in 11 12 13 14 15; do
    for weight in 0 0.01 0.1; do
      echo "lbf-v1:8x8-2p-2f-coop liir-$weight $seed liir lbf-v1:8x8-2p-2f-coop 2000000 $fast intrinsicWeight=$weight evaluationInterval=100000"
      echo "climbing liir-$weight $seed liir climbing 500000 intrinsicWeight=$weight"
    done
  done
}

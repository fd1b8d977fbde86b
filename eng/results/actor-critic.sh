# The runs of docs/results/actor-critic.md, for eng/results.sh. Every seed of all labels comes before the next seed, so that runs cut short still compare
# like with like.
# shellcheck shell=bash

# One setting for all algorithms of these domains, by a few runs of seed 1, which is not among those reported.
network="agent=mlp hidden=64 criticHidden=64 learningRate=0.001"

# The defaults, which follow what was published.
matrix() {
  for seed in 1 2 3 4 5; do
    for task in climbing penalty-0 penalty-25 penalty-50 penalty-75 penalty-100; do
      for algorithm in reinforce ia2c ippo maa2c mappo coma pareto-ac; do
        echo "$task $algorithm $seed $algorithm $task 500000"
      done
    done
  done
}

foraging() {
  for seed in 11 12 13 14 15; do
    for algorithm in ia2c ippo maa2c mappo coma; do
      echo "lbf-v1:8x8-2p-2f-coop $algorithm $seed $algorithm lbf-v1:8x8-2p-2f-coop 5000000 $network"
      echo "lbf-v1:10x10-3p-3f $algorithm $seed $algorithm lbf-v1:10x10-3p-3f 10000000 $network"
      echo "lbf-v1:15x15-3p-5f $algorithm $seed $algorithm lbf-v1:15x15-3p-5f 20000000 $network"
    done
  done
}

warehouse() {
  for seed in 11 12 13 14 15; do
    for task in rware:tiny-2ag rware:tiny-4ag; do
      for algorithm in ia2c ippo maa2c mappo coma; do
        echo "$task $algorithm $seed $algorithm $task 40000000 $network"
      done
    done
  done
}

particles() {
  for seed in 11 12 13 14 15; do
    for task in mpe-v0:spread mpe-v0:speaker-listener mpe-v0:adversary mpe-v0:tag; do
      for algorithm in ia2c ippo maa2c mappo coma; do
        echo "$task $algorithm $seed $algorithm $task 5000000 $network"
      done
    done
  done
}

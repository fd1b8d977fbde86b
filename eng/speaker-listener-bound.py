#!/usr/bin/env python3
"""How well speaker-listener can be played: eng/speaker-listener-bound.py [episodes] [beam]

The world of mpe-v0:speaker-listener by its published rules, and a planner in place of the listener: it hears which landmark is meant after the first step,
as the speaker's message reaches nobody before, and then takes the best of the action sequences that a beam search finds. Its first action is the best on the
mean over the landmarks. Prints the mean return of both agents together, with a 95 % interval. A wider beam shows what the search leaves.
"""
import math
import random
import sys

STEPS, DAMPING, DT, FORCE = 25, 0.25, 0.1, 5.0
ACTIONS = [(0, 0), (1, 0), (-1, 0), (0, 1), (0, -1)]


def move(x, y, vx, vy, action):
    vx = vx * (1 - DAMPING) + action[0] * FORCE * DT
    vy = vy * (1 - DAMPING) + action[1] * FORCE * DT
    return x + vx * DT, y + vy * DT, vx, vy


def promise(state):
    """Cost so far, and a guess of what is still to come: where the listener would roll to, and how far that is from the landmark."""
    cost, x, y, vx, vy = state
    x, y = x + vx * DT * (1 - DAMPING) / DAMPING, y + vy * DT * (1 - DAMPING) / DAMPING
    return cost + 3 * (x * x + y * y)


def least_cost(x, y, vx, vy, steps, width):
    """Sum of squared distances to the origin over some steps."""
    beam = [(0.0, x, y, vx, vy)]
    for _ in range(steps):
        reached = {}
        for cost, x, y, vx, vy in beam:
            for action in ACTIONS:
                nx, ny, nvx, nvy = move(x, y, vx, vy, action)
                state = (cost + nx * nx + ny * ny, nx, ny, nvx, nvy)
                place = (round(nx, 4), round(ny, 4), round(nvx, 3), round(nvy, 3))
                if place not in reached or reached[place][0] > state[0]:
                    reached[place] = state
        beam = sorted(reached.values(), key=promise)[:width]
    return min(state[0] for state in beam)


def episode(chance, width):
    def point():
        return chance.uniform(-1, 1), chance.uniform(-1, 1)

    listener, landmarks = point(), [point() for _ in range(3)]
    best = math.inf
    for action in ACTIONS:
        x, y, vx, vy = move(*listener, 0.0, 0.0, action)
        costs = [(x - lx) ** 2 + (y - ly) ** 2 + least_cost(x - lx, y - ly, vx, vy, STEPS - 1, width) for lx, ly in landmarks]
        best = min(best, sum(costs) / 3)
    return -2 * best


def main():
    episodes, width = ([int(a) for a in sys.argv[1:]] + [1000, 20][len(sys.argv) - 1:])[:2]
    chance = random.Random(1)
    returns = [episode(chance, width) for _ in range(episodes)]
    mean = sum(returns) / episodes
    deviation = math.sqrt(sum((r - mean) ** 2 for r in returns) / (episodes - 1))
    print(f"{mean:.2f} +- {1.96 * deviation / math.sqrt(episodes):.2f} ({episodes} episodes, beam {width})")


if __name__ == "__main__":
    main()

"""Environment steps per second of JAX, for the table of eng/gpu-check.sh: a step like that of level-based foraging, vmapped over worlds, with random actions,
observations and resets, many steps in one compiled call:

    python3 bench/peers/foraging.py [--quick]

Own code, of the rules of `lbf:8x8-2p-2f-coop` but for the order in which agents that meet give way: agents that want the same cell all stay. Without JAX the
step runs with NumPy in one world, and nothing is measured.
"""

import sys
import time

SIDE, AGENTS, FOODS, LIMIT, STEPS = 8, 2, 2, 50, 64
MOVES = ((0, 0), (-1, 0), (1, 0), (0, -1), (0, 1), (0, 0))
LOAD = 5


def place(xp, cells):
    """Positions [K, 2] of cells [K]."""
    return xp.stack((cells // SIDE, cells % SIDE), axis=-1)


def fresh(xp, cells, levels):
    """A world whose agents and foods are at different cells [N + F]; the agents have levels [N], and all of them are needed for a food."""
    return {"agents": place(xp, cells[:AGENTS]), "levels": levels, "foods": place(xp, cells[AGENTS:]), "sizes": xp.zeros(FOODS, "int32") + levels.sum(),
            "time": xp.zeros((), "int32")}


def observe(xp, world):
    """[N, 3 (F + N)]: row, column and level of foods and agents, the agent itself first."""
    foods = xp.concatenate((world["foods"], world["sizes"][:, None]), axis=-1).reshape(-1)
    agents = xp.concatenate((world["agents"], world["levels"][:, None]), axis=-1)
    rows = [xp.concatenate((foods, xp.roll(agents, -k, axis=0).reshape(-1))) for k in range(AGENTS)]
    return xp.stack(rows).astype("float32")


def step(xp, world, actions, restart):
    """The world after the actions [N], or restart if the episode ended; the reward, whether it ended, and the observations."""
    here, there = world["foods"], world["sizes"] > 0
    wanted = world["agents"] + xp.asarray(MOVES)[actions]
    inside = ((wanted >= 0) & (wanted < SIDE)).all(-1)
    on_food = ((wanted[:, None] == here).all(-1) & there).any(-1)
    wanted = xp.where((inside & ~on_food)[:, None], wanted, world["agents"])
    other = ~xp.eye(AGENTS, dtype=bool)
    meets = ((wanted[:, None] == wanted).all(-1) & other).any(-1) | ((wanted[:, None] == world["agents"]).all(-1) & other).any(-1)
    agents = xp.where(meets[:, None], world["agents"], wanted)
    beside = (abs(agents[:, None] - here).sum(-1) == 1) & (actions == LOAD)[:, None]
    taken = there & (xp.where(beside, world["levels"][:, None], 0).sum(0) >= world["sizes"])
    reward = xp.where(taken, world["sizes"], 0).sum() / (FOODS * world["levels"].sum())
    sizes = xp.where(taken, 0, world["sizes"])
    after = {"agents": agents, "levels": world["levels"], "foods": here, "sizes": sizes, "time": world["time"] + 1}
    done = (sizes == 0).all() | (after["time"] >= LIMIT)
    after = {name: xp.where(done, restart[name], after[name]) for name in after}
    return after, reward, done, observe(xp, after)


def with_numpy():
    import numpy

    rng = numpy.random.default_rng(1)
    draw = lambda: fresh(numpy, rng.permutation(SIDE * SIDE)[:AGENTS + FOODS], rng.integers(1, 3, AGENTS))
    world, total, episodes = draw(), 0.0, 0
    for _ in range(20_000):
        world, reward, done, observations = step(numpy, world, rng.integers(0, len(MOVES), AGENTS), draw())
        total, episodes = total + reward, episodes + int(done)
    assert observations.shape == (AGENTS, 3 * (FOODS + AGENTS)) and 0 < total <= episodes + 1 and episodes >= 400, (observations.shape, total, episodes)
    print(f"| JAX is not installed; the step with NumPy: {episodes} episodes, return {total / episodes:.3f} | |")


def with_jax(jax, quick):
    import jax.numpy as xp

    def draw(key):
        cells, levels = jax.random.split(key)
        return fresh(xp, jax.random.permutation(cells, SIDE * SIDE)[:AGENTS + FOODS], jax.random.randint(levels, (AGENTS,), 1, 3))

    def one(carry, _):
        worlds, keys = carry
        keys, acting, resets = (jax.vmap(lambda key: jax.random.split(key, 3))(keys)[:, k] for k in range(3))
        actions = jax.vmap(lambda key: jax.random.randint(key, (AGENTS,), 0, len(MOVES)))(acting)
        worlds, reward, done, observations = jax.vmap(lambda *world: step(xp, *world))(worlds, actions, jax.vmap(draw)(resets))
        return (worlds, keys), (reward.sum(), done.sum(), observations.sum())

    run = jax.jit(lambda carry: jax.lax.scan(one, carry, None, length=STEPS))
    for count in (64,) if quick else (1024, 8192, 65536, 262144):
        keys = jax.random.split(jax.random.PRNGKey(1), count)
        carry = (jax.vmap(draw)(keys), keys)
        carry, sums = jax.block_until_ready(run(carry))
        samples = []
        for _ in range(5):
            start = time.perf_counter()
            carry, sums = jax.block_until_ready(run(carry))
            samples.append(count * STEPS / (time.perf_counter() - start))
        print(f"| JAX {jax.__version__} on {jax.devices()[0].device_kind}, foraging-like, {count} worlds | {sorted(samples)[2]:.3g} steps/s |", flush=True)


if __name__ == "__main__":
    try:
        import jax
    except ImportError:
        with_numpy()
    else:
        with_jax(jax, "--quick" in sys.argv)

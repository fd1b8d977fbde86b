"""Environments written in Python, for Marl.Native's `marl train --env-cmd`.

A program of two lines:

    from marl_env import serve
    serve(MyEnvironment(), episode_limit=100)

where MyEnvironment follows PettingZoo's parallel API: possible_agents, action_space(agent) with the number of actions in `.n`
(or with the bounds of a vector of numbers in `.low` and `.high`), reset(seed=..) -> observations, infos and step(actions) -> observations, rewards, terminations, truncations, infos, all of them
dictionaries by agent. Or without a program, for a module that has a function parallel_env():

    marl train vdn --env-cmd "python3 marl_env.py pettingzoo.mpe.simple_spread_v3 max_cycles=25"

Needs nothing but the standard library. The protocol is that of docs/protocol.md.
"""

import importlib
import json
import math
import os
import signal
import sys

PROTOCOL = 1


def serve(env, episode_limit=None, teams=None, reward="sum"):
    """Answers until the input ends.

    episode_limit: the most steps that an episode can have; by default what env calls max_cycles or max_steps.
    teams: {agent: number}, where not all agents pursue a common goal.
    reward: what the team's reward is, "sum" or "mean" of the agents'; "mean" where everyone receives the same.
    """
    if sys.stdin.isatty():
        print('This program is started by marl: marl train vdn --env-cmd "python3 ..."', file=sys.stderr)
    # Ctrl-C reaches every program of a terminal. It is marl that decides: it saves the run and then ends our input.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    answers = _take_stdout()
    world = _World(env, episode_limit, teams or {}, reward)
    for line in sys.stdin:
        request = json.loads(line)
        kind = request["type"]
        if kind == "hello":
            answer = world.describe()
        elif kind == "reset":
            answer = world.reset(request["seed"])
        elif kind == "step":
            answer = world.step(request["actions"])
        else:
            raise ValueError(f"unknown request '{kind}'")
        answers.write(json.dumps(answer, separators=(",", ":")) + "\n")
        answers.flush()
    if hasattr(env, "close"):
        env.close()


def _take_stdout():
    """The standard output for us alone; what anyone else prints, also from C, goes to the standard error."""
    sys.stdout.flush()
    answers = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)
    sys.stdout = sys.stderr
    return answers


class _World:
    """An environment of the parallel API in the terms of the protocol: lists in the order of possible_agents, and always of all of them."""

    def __init__(self, env, episode_limit, teams, reward):
        self.env, self.teams, self.reward = env, teams, reward
        self.episode_limit = episode_limit or _attribute(env, "max_cycles") or _attribute(env, "max_steps")
        if not self.episode_limit:
            raise ValueError("how many steps can an episode have? say serve(env, episode_limit=..)")
        self.agents = list(env.possible_agents)
        self.boxes = [_box(self._action_space(agent)) for agent in self.agents]
        self.counts = [len(box) if box else int(self._action_space(agent).n) for agent, box in zip(self.agents, self.boxes)]
        self.sizes = []
        self.has_state = self.truncated = False

    def describe(self):
        """The answer to hello. An episode is begun to see how long observations are; chance is not disturbed, as every reset has a seed."""
        observations, _ = self._reset(0)
        missing = [agent for agent in self.agents if agent not in observations]
        if missing:
            raise ValueError(f"agent {missing[0]!r} sees nothing at the beginning of an episode")
        self.sizes = [len(self._flat(agent, observations[agent])) for agent in self.agents]
        try:
            state_size = len(self._state())
        except Exception:  # the API leaves it open whether there is a state, and environments say no in many ways
            state_size = 0
        self.has_state = state_size > 0
        return {
            "protocol": PROTOCOL,
            "agents": [
                {"name": str(agent), "observation_size": size, "actions": count, "team": self.teams.get(agent, 0), **({"box": [-1, 1]} if box else {})}
                for agent, size, count, box in zip(self.agents, self.sizes, self.counts, self.boxes)
            ],
            "state_size": state_size,
            "episode_limit": int(self.episode_limit),
            "reward": self.reward,
        }

    def reset(self, seed):
        observations, infos = self._reset(seed)
        self.truncated = False
        return self._moment(observations, infos, over=False)

    def step(self, actions):
        live = self._live()
        chosen = {agent: self._action(agent, action, box) for agent, action, box in zip(self.agents, actions, self.boxes) if agent in live}
        outcome = self.env.step(chosen)
        if len(outcome) == 5:
            observations, rewards, terminations, truncations, infos = outcome
        else:  # as it was before truncation was told from termination
            (observations, rewards, terminations, infos), truncations = outcome, {}
        self.truncated = self.truncated or any(truncations.values())
        ended = {agent for agent in chosen if terminations.get(agent) or truncations.get(agent)}
        over = not (self._live() - ended)
        answer = self._moment(observations, infos, over, ended)
        answer["rewards"] = [_number(rewards.get(agent, 0)) for agent in self.agents]
        # Who was cut off still had a future; who came to an end had none.
        answer["terminated"] = over and not self.truncated
        answer["truncated"] = over and self.truncated
        return answer

    def _moment(self, observations, infos, over, ended=()):
        """What can be seen and done. An agent that has finished before the others sees zeros and can do nothing but action 0."""
        seen, available = [], []
        live = self._live()
        for agent, size, count, box in zip(self.agents, self.sizes, self.counts, self.boxes):
            if agent in observations and (over or agent in live and agent not in ended):
                seen.append(self._flat(agent, observations[agent]))
                available.append([1] * count if box else _mask(observations[agent], infos.get(agent), count))
            else:
                seen.append([0] * size)
                available.append([1] * count if box else [1] + [0] * (count - 1))
        answer = {"observations": seen, "available": available}
        if self.has_state:
            answer["state"] = self._state()
        return answer

    def _reset(self, seed):
        result = self.env.reset(seed=seed)
        return result if isinstance(result, tuple) else (result, {})

    def _live(self):
        return set(getattr(self.env, "agents", self.agents))

    def _action_space(self, agent):
        space = self._space("action_space", agent)
        if not hasattr(space, "n") and not hasattr(space, "low"):
            raise TypeError(f"the actions of {agent!r} are {space}; only a number of them (Discrete) or a vector (Box) can be learned")
        return space

    def _action(self, agent, action, box):
        """As the environment wants it: a number of a discrete space, or numbers in -1 .. 1 brought to the bounds of a box."""
        space = self._action_space(agent)
        if not box:
            return action + int(getattr(space, "start", 0))
        numbers = [low + (x + 1) / 2 * (high - low) for x, (low, high) in zip(action, box)]
        return _like(numbers, space.low)

    def _space(self, kind, agent):
        """env.action_space(agent), or as it was before env.action_spaces[agent]; None if there is neither."""
        if hasattr(self.env, kind):
            return getattr(self.env, kind)(agent)
        return getattr(self.env, kind + "s", {}).get(agent)

    def _flat(self, agent, observation):
        space = self._space("observation_space", agent)
        if _has_mask(observation):
            observation, space = observation["observation"], _part(space, "observation")
        return _flatten(observation, space)

    def _state(self):
        return _flatten(self.env.state(), None)


def _box(space):
    """The bounds of every number of a box; None of a discrete space."""
    if hasattr(space, "n"):
        return None
    bounds = list(zip(_flatten(space.low, None), _flatten(space.high, None)))
    if any(not math.isfinite(bound) for both in bounds for bound in both):
        raise ValueError(f"the actions {space} have no bounds")
    return bounds


def _like(numbers, example):
    """An array of numpy where the example is one, of its type and form."""
    if not hasattr(example, "ravel"):
        return numbers
    array = example.copy()
    array.flat[:] = numbers
    return array


def _flatten(value, space):
    """All numbers of a nested value, as a list; a number of a discrete space as one-hot."""
    if hasattr(value, "ravel"):  # numpy and its kin: all at once
        value = value.ravel().tolist()
        if len(value) == 1:
            value = value[0]
        elif not value or not isinstance(value[0], bool):
            return value
    elif hasattr(value, "tolist"):
        value = value.tolist()
    if isinstance(value, dict):
        parts = [_flatten(part, _part(space, key)) for key, part in value.items()]
    elif isinstance(value, (list, tuple)):
        parts = [_flatten(part, _part(space, index)) for index, part in enumerate(value)]
    elif _is_discrete(space):
        hot = int(value) - int(getattr(space, "start", 0))
        return [1 if i == hot else 0 for i in range(int(space.n))]
    else:
        return [_number(value)]
    return [number for part in parts for number in part]


def _number(value):
    if hasattr(value, "item"):
        value = value.item()
    return int(value) if isinstance(value, int) else float(value)


def _mask(observation, info, count):
    """From the observation or from the information about an agent; without either everything may be done."""
    mask = observation["action_mask"] if _has_mask(observation) else (info or {}).get("action_mask")
    return [1] * count if mask is None else [1 if allowed else 0 for allowed in _flatten(mask, None)]


def _has_mask(observation):
    return isinstance(observation, dict) and "observation" in observation and "action_mask" in observation


def _part(space, key):
    spaces = getattr(space, "spaces", None)
    try:
        return None if spaces is None else spaces[key]
    except (KeyError, IndexError, TypeError):
        return None


def _is_discrete(space):
    """A number of possibilities; MultiBinary has an n as well, but a shape with it."""
    return hasattr(space, "n") and not getattr(space, "shape", ())


def _attribute(env, name):
    """A number that an environment, or what it wraps, has under this name; None if there is none."""
    turns = getattr(env, "aec_env", None)
    for place in (env, getattr(env, "unwrapped", None), turns, getattr(turns, "unwrapped", None)):
        value = getattr(place, name, None)
        if isinstance(value, int):
            return value
    return None


def _main(arguments):
    if not arguments:
        sys.exit("usage: marl_env.py MODULE[:FUNCTION] [name=value ..]\nserves what FUNCTION (parallel_env) of the module makes")
    sys.path.insert(0, os.getcwd())
    module, _, function = arguments[0].partition(":")
    options = {}
    for argument in arguments[1:]:
        name, _, value = argument.partition("=")
        try:
            options[name] = json.loads(value)
        except ValueError:
            options[name] = value
    episode_limit = options.pop("episode_limit", None)
    env = getattr(importlib.import_module(module), function or "parallel_env")(**options)
    serve(env, episode_limit=episode_limit or options.get("max_cycles"))


if __name__ == "__main__":
    _main(sys.argv[1:])

r"""Serves an environment written in Python to Marl.Native: `marl train --env-cmd`.

    from marl_env import serve
    serve(MyEnvironment(), episode_limit=100)

MyEnvironment implements PettingZoo's parallel API:

    possible_agents
    action_space(agent)     Discrete, with the number of actions in `.n`; MultiDiscrete, in `.nvec`; MultiBinary; Box, with the bounds of a continuous action in
                            `.low` and `.high`; or a Tuple or Dict of these
    reset(seed=..)          -> observations, infos
    step(actions)           -> observations, rewards, terminations, truncations, infos

Actions and all results are dictionaries with one entry per agent. An observation is an array, a number, or a dictionary or tuple of observations. The
entry "action_mask" of a dictionary, or of an agent's info, has 1 for each available action; for spaces with several parts it is what the space's sample takes
as its mask, or the masks of all choices in one list. An agent whose mask is 0 everywhere, because it is not its turn or the episode has ended, takes action 0
of each part. Agents may be absent at first if they have an observation_space(agent).

MyEnvironment may have PettingZoo's turn-based API (AEC) instead. A step is then one agent's turn; the other agents have only action 0.

A module that has a function parallel_env(), or a turn-based env(), needs no program. episode_limit and teams are arguments of serve, the others of the
function:

    marl train vdn --env-cmd "python3 marl_env.py mpe2.simple_spread_v3 max_cycles=25"
    marl train iql --env-cmd "python3 marl_env.py pettingzoo.classic.connect_four_v3 episode_limit=42 'teams={\"player_1\":1}'"

Requires only the standard library. docs/protocol.md specifies the protocol.
"""

import importlib
import json
import math
import os
import signal
import sys

PROTOCOL = 1
MASK = "action_mask"


def serve(env, episode_limit=None, teams=None, reward="sum"):
    """Answers requests on the standard input until it ends.

    env: an environment with PettingZoo's parallel or turn-based API.
    episode_limit: the maximum number of steps of an episode; by default env's max_cycles or max_steps.
    teams: {agent: team index}; agents that are not listed are in team 0.
    reward: how the team reward is computed from the agents' rewards, "sum" or "mean"; "mean" if all agents receive the same reward.
    """
    if sys.stdin.isatty():
        print('marl starts this program: marl train vdn --env-cmd "python3 ..."', file=sys.stderr)
    # Ctrl-C sends SIGINT to every process of the terminal. marl saves the run and then closes the standard input of this process.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    answers = _take_stdout()
    world = _World(_Turns(env) if hasattr(env, "agent_iter") else env, episode_limit, teams or {}, reward)
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
    """Returns the standard output and redirects everything else that is printed, also by C code, to the standard error."""
    sys.stdout.flush()
    answers = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)
    sys.stdout = sys.stderr
    return answers


class _Turns:
    """The parallel API of a turn-based environment: a step is one agent's turn, and the other agents' masks are 0."""

    def __init__(self, env):
        self.env = env

    def __getattr__(self, name):
        return getattr(self.env, name)

    def reset(self, seed=None):
        self.env.reset(seed=seed)
        return self._observe()

    def step(self, actions):
        self.env.step(actions[self.env.agent_selection])
        results = dict(self.env.rewards), dict(self.env.terminations), dict(self.env.truncations)
        observations, infos = self._observe()
        while self.env.agents and self._is_over(self.env.agent_selection):
            self.env.step(None)  # removes an agent that has finished
        for old, new in zip((observations, infos), self._observe()):
            old.update(new)
        return (observations, *results, infos)

    def _observe(self):
        observations, infos = {}, {}
        for agent in self.env.agents:
            observations[agent], infos[agent] = self.env.observe(agent), self.env.infos.get(agent)
            if agent != self.env.agent_selection:
                observations[agent], infos[agent] = _without_mask(observations[agent]), {MASK: [0]}
        return observations, infos

    def _is_over(self, agent):
        return self.env.terminations[agent] or self.env.truncations[agent]


class _World:
    """Converts between the parallel API and the protocol, whose lists have one entry for each of possible_agents, in this order."""

    def __init__(self, env, episode_limit, teams, reward):
        self.env, self.teams, self.reward = env, teams, reward
        self.episode_limit = episode_limit or _attribute(env, "max_cycles") or _attribute(env, "max_steps")
        if not self.episode_limit:
            raise ValueError("the episode limit is unknown; set it with episode_limit=..")
        self.agents = list(env.possible_agents)
        self.actions = [_Actions(agent, self._space("action_space", agent)) for agent in self.agents]
        self.sizes = []
        self.has_state = self.truncated = False

    def describe(self):
        """Returns the answer to hello. Resets the environment to measure the observations; later resets have seeds of their own."""
        observations, _ = self._reset(0)
        self.sizes = [
            len(self._flat(agent, observations[agent])) if agent in observations else self._absent_size(agent) for agent in self.agents
        ]
        try:
            state_size = len(self._state())
        except Exception:  # the state is optional, and environments without one raise various exceptions
            state_size = 0
        self.has_state = state_size > 0
        return {
            "protocol": PROTOCOL,
            "agents": [
                {"name": str(agent), "observation_size": size, "team": self.teams.get(agent, 0), **actions.describe()}
                for agent, size, actions in zip(self.agents, self.sizes, self.actions)
            ],
            "state_size": state_size,
            "episode_limit": int(self.episode_limit),
            "reward": self.reward,
        }

    def reset(self, seed):
        observations, infos = self._reset(seed)
        self.truncated = False
        return self._time_step(observations, infos, over=False)

    def step(self, actions):
        live = self._live()
        chosen = {agent: own.of(action) for agent, action, own in zip(self.agents, actions, self.actions) if agent in live}
        outcome = self.env.step(chosen)
        if len(outcome) == 5:
            observations, rewards, terminations, truncations, infos = outcome
        else:  # older APIs do not distinguish truncation from termination
            (observations, rewards, terminations, infos), truncations = outcome, {}
        self.truncated = self.truncated or any(truncations.values())
        ended = {agent for agent in chosen if terminations.get(agent) or truncations.get(agent)}
        over = not (self._live() - ended)
        answer = self._time_step(observations, infos, over, ended)
        answer["rewards"] = [_number(rewards.get(agent, 0)) for agent in self.agents]
        # The state after a truncation has a value, the state after a termination has none.
        answer["terminated"] = over and not self.truncated
        answer["truncated"] = over and self.truncated
        return answer

    def _time_step(self, observations, infos, over, ended=()):
        """Returns observations, available actions and the state. An agent that finished before the others observes zeros and has only action 0."""
        rows, available = [], []
        live = self._live()
        for agent, size, actions in zip(self.agents, self.sizes, self.actions):
            if agent in observations and (over or agent in live and agent not in ended):
                rows.append(self._flat(agent, observations[agent]))
                available.append(actions.available(_mask(observations[agent], infos.get(agent))))
            else:
                rows.append([0] * size)
                available.append(actions.idle())
        answer = {"observations": rows, "available": available}
        if self.has_state:
            answer["state"] = self._state()
        return answer

    def _reset(self, seed):
        result = self.env.reset(seed=seed)
        return result if isinstance(result, tuple) else (result, {})

    def _live(self):
        return set(getattr(self.env, "agents", self.agents))

    def _absent_size(self, agent):
        """Returns the number of elements of an observation that the agent does not have yet."""
        size = _size(self._space("observation_space", agent))
        if not size:
            raise ValueError(f"agent {agent!r} has no observation after reset, and no observation_space from which its length follows")
        return size

    def _space(self, kind, agent):
        """Returns env.action_space(agent), or env.action_spaces[agent] in older APIs; None if there is neither."""
        if hasattr(self.env, kind):
            return getattr(self.env, kind)(agent)
        return getattr(self.env, kind + "s", {}).get(agent)

    def _flat(self, agent, observation):
        return _flatten(_without_mask(observation), self._space("observation_space", agent))

    def _state(self):
        return _flatten(self.env.state(), None)


class _Actions:
    """An agent's action space: discrete branches, and the elements of its boxes as one vector in [-1, 1], each in the order of the space."""

    def __init__(self, agent, space):
        self.agent, self.space, self.branches, self.bounds = agent, space, [], []
        for part in _leaves(space):
            if _is_box(part):
                self.bounds += _bounds(part)
            elif _sizes(part):
                self.branches += _sizes(part)
            else:
                raise TypeError(
                    f"the action space of agent {agent!r} is {space}; Discrete, MultiDiscrete, MultiBinary, Box, or a Tuple or Dict of these is required")

    def describe(self):
        """Returns the fields of the agent's description."""
        if not self.bounds and len(self.branches) == 1:
            return {"actions": self.branches[0]}
        return {**({"branches": self.branches} if self.branches else {}), **({"actions": len(self.bounds), "box": [-1, 1]} if self.bounds else {})}

    def of(self, action):
        """Returns the environment's action: indices of the branches, and a vector in [-1, 1] that is scaled to the bounds."""
        values = iter(action if isinstance(action, list) else [action])
        return self._part(self.space, iter([next(values) for _ in self.branches]), values)

    def available(self, mask):
        """Returns the availability of all choices, followed by 1 for each element of the vector. Without a mask all are available; an agent that has no
        available action takes action 0."""
        choices = self._masks(self.space, mask)
        return choices + [1] * len(self.bounds) if any(choices) or not self.branches else self.idle()

    def idle(self):
        """Returns the availability of an agent that can only take action 0 of each branch."""
        return [int(choice == 0) for count in self.branches for choice in range(count)] + [1] * len(self.bounds)

    def _part(self, space, choices, elements):
        parts = _parts(space)
        if parts is not None:
            composed = {key: self._part(part, choices, elements) for key, part in parts}
            return composed if hasattr(space.spaces, "items") else tuple(composed.values())
        if _is_box(space):
            # By rounding, the sum may exceed a bound.
            return _like([min(max(low + (next(elements) + 1) / 2 * (high - low), low), high) for low, high in _bounds(space)], space.low)
        if _is_discrete(space):
            return next(choices) + int(getattr(space, "start", 0))
        starts = _flatten(getattr(space, "start", 0), None)
        values = [next(choices) + start for _, start in zip(_sizes(space), starts if len(starts) > 1 else starts * len(_sizes(space)))]
        return _like(values, space.nvec) if hasattr(space, "nvec") else _shaped(values, space)

    def _masks(self, space, mask):
        """Returns the availability of all choices of a space."""
        sizes = [size for part in _leaves(space) if not _is_box(part) for size in _sizes(part)]
        if mask is None or not sizes:
            return [1] * sum(sizes)
        parts = _parts(space)
        if parts is not None and isinstance(mask, (dict, tuple)):
            masks = mask if isinstance(mask, dict) else dict(enumerate(mask))
            return [choice for key, part in parts for choice in self._masks(part, masks.get(key))]
        flat = [int(allowed) for allowed in _flatten(mask, None)]
        if not _is_discrete(space) and len(flat) == len(sizes) and hasattr(space, "n"):
            # Of a MultiBinary, 0 and 1 are the only choice of an element, and 2 is both.
            return [int(allowed in (choice, 2)) for allowed in flat for choice in (0, 1)]
        if any(flat) and len(sizes) > 1 and len(flat) != sum(sizes):
            raise ValueError(f"the action mask of agent {self.agent!r} has {len(flat)} elements; its space {space} has {sum(sizes)} choices")
        return [int(allowed > 0) for allowed in flat]


def _parts(space):
    """Returns the parts of a Tuple or Dict with their keys; None for other spaces."""
    spaces = getattr(space, "spaces", None)
    return None if spaces is None else list(spaces.items() if hasattr(spaces, "items") else enumerate(spaces))


def _leaves(space):
    """Returns the spaces of a Tuple or Dict that have no parts, in order."""
    parts = _parts(space)
    return [space] if parts is None else [leaf for _, part in parts for leaf in _leaves(part)]


def _sizes(space):
    """Returns the number of choices of each branch of a Discrete, MultiDiscrete or MultiBinary; none for other spaces."""
    if hasattr(space, "nvec"):
        return [int(size) for size in _flatten(space.nvec, None)]
    if _is_discrete(space):
        return [int(space.n)]
    return [2] * math.prod(space.shape) if hasattr(space, "n") else []


def _bounds(space):
    """Returns the bounds (low, high) of each element of a Box."""
    bounds = list(zip(_flatten(space.low, None), _flatten(space.high, None)))
    if any(not math.isfinite(bound) for both in bounds for bound in both):
        raise ValueError(f"the action space {space} is unbounded")
    return bounds


def _shaped(values, space):
    """Returns the values as a NumPy array with the shape and dtype of the space if the environment uses NumPy; otherwise as they are."""
    numpy = sys.modules.get("numpy")
    return numpy.array(values, dtype=getattr(space, "dtype", None)).reshape(space.shape) if numpy else values


def _like(values, example):
    """Returns the values as a NumPy array with the shape and dtype of the example if that is an array; otherwise as they are. Integers are rounded."""
    if not hasattr(example, "ravel"):
        return values
    if getattr(example.dtype, "kind", "") in "iu":
        values = [round(value) for value in values]
    array = example.copy()
    array.flat[:] = values
    return array


def _flatten(value, space):
    """Returns all elements of a nested value as a list; a value of a Discrete space is encoded as one-hot. The order of a dictionary is that of its space:
    dictionaries with the same entries are equal in any order."""
    if hasattr(value, "ravel"):  # a NumPy array or tensor
        value = value.ravel().tolist()
        if len(value) == 1:
            value = value[0]
        elif not value or not isinstance(value[0], bool):
            return value
    elif hasattr(value, "tolist"):
        value = value.tolist()
    if isinstance(value, dict):
        parts = [_flatten(value[key], _part(space, key)) for key in _ordered(value, space)]
    elif isinstance(value, (list, tuple)):
        parts = [_flatten(part, _part(space, index)) for index, part in enumerate(value)]
    elif _is_discrete(space):
        hot = int(value) - int(getattr(space, "start", 0))
        return [1 if i == hot else 0 for i in range(int(space.n))]
    else:
        return [_number(value)]
    return [element for part in parts for element in part]


def _number(value):
    if hasattr(value, "item"):
        value = value.item()
    return int(value) if isinstance(value, int) else float(value)


def _size(space):
    """Returns the number of elements of a flattened observation; 0 if the space is unknown."""
    if _is_discrete(space):
        return int(space.n)
    spaces = getattr(space, "spaces", None)
    if spaces is not None:
        parts = [part for key, part in spaces.items() if key != MASK] if hasattr(spaces, "items") else list(spaces)
        sizes = [_size(part) for part in parts]
        return sum(sizes) if all(sizes) else 0
    return math.prod(int(length) for length in getattr(space, "shape", None) or ([1] if _is_box(space) else [0]))


def _mask(observation, info):
    """Returns the action mask of the observation or of the info; None if neither has one."""
    return observation[MASK] if _has_mask(observation) else (info or {}).get(MASK)


def _has_mask(observation):
    return isinstance(observation, dict) and MASK in observation


def _without_mask(observation):
    return {key: part for key, part in observation.items() if key != MASK} if _has_mask(observation) else observation


def _ordered(value, space):
    """Returns the keys of a dictionary: in the order of its space, and those that the space does not have in alphabetical order."""
    spaces = getattr(space, "spaces", None)
    known = [key for key in spaces if key in value] if hasattr(spaces, "keys") else []
    return known + sorted((key for key in value if key not in known), key=str)


def _part(space, key):
    spaces = getattr(space, "spaces", None)
    try:
        return None if spaces is None else spaces[key]
    except (KeyError, IndexError, TypeError):
        return None


def _is_discrete(space):
    """Whether the space is Discrete. MultiBinary also has n, but its shape is not empty."""
    return hasattr(space, "n") and not getattr(space, "shape", ())


def _is_box(space):
    return hasattr(space, "low") and hasattr(space, "high")


def _attribute(env, name):
    """Returns an integer attribute of the environment or of the environment that it wraps; None if there is none."""
    turn_based = getattr(env, "aec_env", None)
    for candidate in (env, getattr(env, "unwrapped", None), turn_based, getattr(turn_based, "unwrapped", None)):
        value = getattr(candidate, name, None)
        if isinstance(value, int):
            return value
    return None


def _main(arguments):
    if not arguments:
        sys.exit("usage: marl_env.py MODULE[:FUNCTION] [name=value ..]\nserves the environment that FUNCTION (default: parallel_env, or env) of MODULE returns")
    sys.path.insert(0, os.getcwd())
    module, _, function = arguments[0].partition(":")
    options = {}
    for argument in arguments[1:]:
        name, _, value = argument.partition("=")
        try:
            options[name] = json.loads(value)
        except ValueError:
            options[name] = value
    episode_limit, teams = options.pop("episode_limit", None), options.pop("teams", None)
    source = importlib.import_module(module)
    env = getattr(source, function or ("parallel_env" if hasattr(source, "parallel_env") else "env"))(**options)
    serve(env, episode_limit=episode_limit or options.get("max_cycles"), teams=teams)


if __name__ == "__main__":
    _main(sys.argv[1:])

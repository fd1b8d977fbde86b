namespace Marl.Native.Rl;

/// <summary>A network that acts.</summary>
/// <param name="Agent">what it is.</param>
/// <param name="Parameters">its weights, maybe among others.</param>
public readonly record struct Actor(Agent Agent, Parameters Parameters);

namespace Marl.Native.Rl;

/// <summary>An agent network with its weights.</summary>
/// <param name="Agent">The network.</param>
/// <param name="Parameters">A block of parameters that contains its weights.</param>
public readonly record struct Actor(Agent Agent, Parameters Parameters);

namespace Marl.Native.Rl;

/// <summary>
/// The rules of an environment as a struct of values, for many environments (worlds) at once. What changes is in an <see cref="IWorld"/>, so that one source
/// runs as a loop of the CPU and as a kernel of a GPU, with the same bits. <see cref="BatchEnvironment{TRules}"/> makes an <see cref="IEnvironment"/> of it.
/// </summary>
/// <remarks>
/// Agents have discrete actions, all of them available, and the global state is the concatenation of their observations. A kernel has no arrays, spans, classes
/// or virtual calls, its loops test their condition first, and a struct of values has no bool: use int. ILGPU miscompiles a condition that is converted to a
/// floating-point number (<c>a == b ? 1.0 : 0.0</c>): use an if statement.
/// </remarks>
/// <example>
/// A game in which each agent is rewarded for repeating the symbol that it observes:
/// <code>
/// public readonly struct EchoRules : IBatchEnvironment
/// {
///     public int StateSize => 2;
///     public void Reset&lt;TWorld&gt;(TWorld world, ref Rng rng) where TWorld : struct, IWorld, allows ref struct
///         => (world[0], world[1]) = (rng.NextInt(3), rng.NextInt(3));
///     public StepResult Step&lt;TWorld&gt;(TWorld world, ref Rng rng) where TWorld : struct, IWorld, allows ref struct
///     {
///         for (int agent = 0; agent &lt; 2; agent++)
///         {
///             world.SetReward(agent, 0);
///             if (world.Action(agent) == world[agent])
///             {
///                 world.SetReward(agent, 1);
///             }
///         }
///         return StepResult.Terminated;
///     }
///     public void Observe&lt;TWorld&gt;(TWorld world, int agent) where TWorld : struct, IWorld, allows ref struct
///         => world.SetObservation(0, world[agent]);
/// }
/// public sealed class BatchedEcho() : BatchEnvironment&lt;EchoRules&gt;(default,
///     EnvironmentSpec.Uniform("echo", agents: 2, observationSize: 1, actionCount: 3, episodeLimit: 1, snapshotSize: 2));
/// </code>
/// </example>
public interface IBatchEnvironment
{
    /// <summary>The number of elements of a world's state, at least <see cref="EnvironmentSpec.SnapshotSize"/>. The elements after the snapshot are working
    /// memory of a step, or what only <see cref="IRenderable"/> reads.</summary>
    int StateSize { get; }

    /// <summary>Begins an episode.</summary>
    /// <param name="world">The world. The state of a new one is 0.</param>
    /// <param name="rng">The random number generator of the world.</param>
    void Reset<TWorld>(TWorld world, ref Rng rng) where TWorld : struct, IWorld, allows ref struct;

    /// <summary>Advances the episode by the joint action of the world.</summary>
    /// <param name="world">The world. The reward of every agent is to be set.</param>
    /// <param name="rng">The random number generator of the world.</param>
    StepResult Step<TWorld>(TWorld world, ref Rng rng) where TWorld : struct, IWorld, allows ref struct;

    /// <summary>Writes all elements of an agent's observation.</summary>
    void Observe<TWorld>(TWorld world, int agent) where TWorld : struct, IWorld, allows ref struct;
}

/// <summary>One environment of many: the memory that the rules of an <see cref="IBatchEnvironment"/> read and write.</summary>
public interface IWorld
{
    /// <summary>An element of the state, 0 .. <see cref="IBatchEnvironment.StateSize"/> - 1.</summary>
    int this[int index] { get; set; }

    /// <summary>Returns a constant of the environment, which all worlds share.</summary>
    double Constant(int index);

    /// <summary>Returns the action of an agent in this step.</summary>
    int Action(int agent);

    /// <summary>Sets the reward of an agent in this step.</summary>
    void SetReward(int agent, double reward);

    /// <summary>Sets an element of the observation that is being written.</summary>
    void SetObservation(int index, float value);
}

namespace Marl.Native.Rl;

/// <summary>Plays the rounds of a training: <see cref="Rollout"/> in any environment, <see cref="DeviceRollout"/> in the memory of a device.</summary>
internal interface IRollout
{
    /// <summary>Plays and records a round. If an environment throws, or the round is canceled, the state before the round is restored.</summary>
    /// <param name="episodes">The episodes of the round, overwritten.</param>
    /// <param name="exploration">The exploration rate, see <see cref="Exploration"/>.</param>
    /// <param name="fingerprint">The training progress.</param>
    /// <param name="stop">Cancels the round before its next step.</param>
    /// <exception cref="OperationCanceledException">The round was canceled.</exception>
    void Play(Episode[] episodes, float exploration, Fingerprint fingerprint = default, CancellationToken stop = default);

    /// <summary>Restores the state before the last round.</summary>
    void Rewind();

    /// <summary>Runs an action that uses the environments, and then restores their episodes in progress.</summary>
    T RunSuspended<T>(Func<T> action);

    /// <summary>Saves or restores environments, episodes in progress and random number generators between rounds.</summary>
    void Archive(IArchive archive);
}

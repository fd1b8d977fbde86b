namespace Marl.Native.Rl;

/// <summary>Where the data of a <see cref="DeviceRollout"/> are: the state of acting and what the host reads, after the worlds in their memory; recorded columns in
/// the memory of the round.</summary>
internal struct DeviceRolloutLayout
{
    /// <summary>Sizes: worlds B, agents N, teams, reward streams R, actions A, observation O, state S, recurrent state H, rows.</summary>
    public int Count, Agents, Teams, Streams, Actions, ObservationSize, StateSize, RecurrentSize, Rows, EpisodeLimit;

    /// <summary>Flags: whether recorded rewards are individual, whether team returns and recorded rewards are means, whether a limit terminates.</summary>
    public int Individual, MeanReturns, MeanRewards, TerminateAtLimit;

    /// <summary>[B, teams] doubles: the returns of the episodes in progress, and the sums of those that ended in the segment.</summary>
    public int Returns, EndedReturns;

    /// <summary>[N]: the teams and the observation sizes of the agents.</summary>
    public int TeamOf, SizeOf;

    /// <summary>[B]: steps of the episode, row, ended episodes, their steps, inner ends, whether the last step terminated. Adjacent, as the host reads them.</summary>
    public int Steps, Row, EndedEpisodes, EndedSteps, InnerEnds, Terminated;

    /// <summary>[B, N] previous actions and continue mask, [B, 2] fingerprints, [B, N, H] recurrent states, [B, S] states.</summary>
    public int Previous, ContinueMask, Fingerprints, Recurrent, States;

    /// <summary>[rows, B, R] rewards and [rows, B] flags of the segments.</summary>
    public int Rewards, Flags;

    /// <summary>The end of the elements.</summary>
    public int End;

    /// <summary>The beginnings of recorded columns.</summary>
    public int RecordedObservations, RecordedStates, RecordedAvailable, RecordedActions, RecordedProbabilities;

    /// <summary>Bits of the flags of a row.</summary>
    public const int Ends = 1, Terminates = 2, Begins = 4;

    /// <summary>Assigns elements after those of the worlds.</summary>
    public void Assign(int first)
    {
        int end = first;
        Returns = Take(2 * Count * Teams);
        EndedReturns = Take(2 * Count * Teams);
        TeamOf = Take(Agents);
        SizeOf = Take(Agents);
        Steps = Take(Count);
        Row = Take(Count);
        EndedEpisodes = Take(Count);
        EndedSteps = Take(Count);
        InnerEnds = Take(Count);
        Terminated = Take(Count);
        Previous = Take(Count * Agents);
        ContinueMask = Take(Count * Agents);
        Fingerprints = Take(Count * Fingerprint.Size);
        Recurrent = Take(Count * Agents * RecurrentSize);
        States = Take(Count * StateSize);
        Rewards = Take(Rows * Count * Streams);
        Flags = Take(Rows * Count);
        End = end;

        int Take(int elements)
        {
            int start = end;
            end = checked(end + elements);
            return start;
        }
    }
}

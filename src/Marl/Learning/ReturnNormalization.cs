namespace Marl.Native.Rl;

/// <summary>
/// The running mean mu and standard deviation sigma of returns, by which a critic's targets are normalized. With PopArt (van Hasselt et al. 2016, equation 2)
/// the last layer of the critic changes with them, so that its values sigma v + mu of the returns stay the same:
/// <code>
/// w' = sigma / sigma' w          b' = (sigma b + mu - mu') / sigma'
/// </code>
/// Without PopArt each agent has its own statistics; with it, those of a critic that agents share are common.
/// </summary>
internal sealed class ReturnNormalization
{
    /// <summary>Added to the variance, which may be 0.</summary>
    public const double Epsilon = 1e-8;

    private const int CriticNetwork = 1;

    private readonly OnPolicyOptions options;
    private readonly Critic? critic;
    private readonly TrainedNetwork[] networks;
    private readonly double[] mean, deviation;

    /// <summary>Creates the statistics of no returns.</summary>
    /// <exception cref="UsageException">PopArt, and the algorithm has no critic of state values.</exception>
    public ReturnNormalization(OnPolicyOptions options, PolicyObjective objective, TrainedNetwork[] networks)
    {
        (this.options, this.networks) = (options, networks);
        int columns = options.PopArt && options.ShareParameters ? 1 : objective.Agent.Agents;
        (Statistics, mean, deviation) = (new RunningStatistics(columns), new double[columns], new double[columns]);
        critic = !options.PopArt ? null
            : objective.ValueCritic ?? throw new UsageException("popArt needs a critic of state values, as those of ia2c, ippo, maa2c and mappo");
    }

    /// <summary>The statistics, of one column or one per agent.</summary>
    public RunningStatistics Statistics { get; }

    /// <summary>Merges the returns of a round, and normalizes them. With PopArt, changes critic and stored values to the new mean and deviation.</summary>
    public void Normalize(ReadOnlySpan<Episode> episodes)
    {
        for (int column = 0; column < mean.Length; column++)
        {
            (mean[column], deviation[column]) = (Statistics.Mean[column], Deviation(column));
        }
        Statistics.Forget(options.ReturnDecay);
        foreach (var episode in episodes)
        {
            Statistics.Update(episode, Column.Returns);
        }
        foreach (var episode in episodes)
        {
            Statistics.Normalize(episode, Column.Returns, Epsilon);
        }
        for (int column = 0; column < mean.Length && critic is not null; column++)
        {
            float scale = (float)(deviation[column] / Deviation(column)), shift = (float)((mean[column] - Statistics.Mean[column]) / Deviation(column));
            critic.ScaleOutput(networks[CriticNetwork].Online, column, scale, shift);
            critic.ScaleOutput(networks[CriticNetwork].Target, column, scale, shift);
            foreach (var episode in episodes)
            {
                ScaleValues(episode, column, scale, shift);
            }
        }
    }

    private void ScaleValues(Episode episode, int column, float scale, float shift)
    {
        for (int first = 0; episode.NextTransitions(ref first, out var rows);)
        {
            var values = episode.Transitions(Column.Values, rows);
            for (int i = column; i < values.Length; i += mean.Length)
            {
                values[i] = values[i] * scale + shift;
            }
        }
    }

    private double Deviation(int column) => Math.Sqrt(Statistics.Variance[column] + Epsilon);
}

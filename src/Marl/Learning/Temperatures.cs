namespace Marl.Native.Rl;

/// <summary>The temperatures of <see cref="VisitLeniency"/>: one for every agent, hash of an observation, and action.</summary>
internal sealed class Temperatures
{
    private readonly VisitLeniency options;
    private readonly EnvironmentSpec spec;

    // [N, 2^bits, A]
    private readonly Tensor table;
    private float max = 1f;

    /// <summary>Creates the table; all temperatures are 1.</summary>
    public Temperatures(VisitLeniency options, EnvironmentSpec spec)
    {
        (this.options, this.spec) = (options, spec);
        table = Tensor.Zeros(spec.Agents.Length, 1 << options.HashBits, spec.ActionCount);
        table.Span.Fill(1f);
    }

    /// <summary>[N] The leniency of each transition, see <see cref="Record"/>.</summary>
    public static Column Leniency { get; } = new("leniency") { PerAgent = true, Lifetime = ColumnLifetime.Recorded };

    /// <summary>Returns the temperature of an agent's action in a row of an episode.</summary>
    public float At(Episode episode, int row, int agent, int action) => Math.Min(max, TemperaturesOf(episode, row, agent)[action]);

    /// <summary>Writes the leniency of all transitions of an episode into its column, and then lets the temperatures fall.</summary>
    public void Record(Episode episode)
    {
        var leniency = episode[Leniency];
        for (int row = 0; row < episode.Length; row++)
        {
            for (int agent = 0; agent < episode.Agents; agent++)
            {
                leniency[row * episode.Agents + agent] = Weighting.Leniency(options.Moderation, At(episode, row, agent, episode.ActionsAt(row)[agent]));
            }
        }
        float exponent = options.DecayExponent;
        for (int row = episode.Length - 1; row >= 0; row--)
        {
            float decay = F1.Exp(new F1(exponent)).Value;
            exponent *= options.DecayRate;
            for (int agent = 0; agent < episode.Agents; agent++)
            {
                ref float temperature = ref TemperaturesOf(episode, row, agent)[episode.ActionsAt(row)[agent]];
                bool ends = row == episode.Length - 1 && episode.Terminated;
                float folded = ends ? temperature : (1f - options.Folding) * temperature + options.Folding * Mean(episode, row + 1, agent);
                temperature = Math.Min(max, decay * folded);
            }
        }
        max *= options.MaxTemperatureDecay;
    }

    /// <summary>Saves or restores the temperatures.</summary>
    public void Archive(IArchive archive)
    {
        archive.Tensor("table", table);
        archive.Value("max", ref max);
    }

    /// <summary>Computes the mean temperature of an agent's available actions in a row; the greatest temperature if none is available.</summary>
    private float Mean(Episode episode, int row, int agent)
    {
        var available = episode.AvailableActions(row, agent);
        float sum = 0;
        for (int action = 0; action < available.Length; action++)
        {
            sum += available[action] ? At(episode, row, agent, action) : 0f;
        }
        int count = available.Count(true);
        return count > 0 ? sum / count : max;
    }

    /// <summary>Returns the temperatures [A] of an agent's observation.</summary>
    private Span<float> TemperaturesOf(Episode episode, int row, int agent)
    {
        ulong hash = 0;
        foreach (float x in episode.Observation(row, agent))
        {
            // Multiplication by 2^64 over the golden ratio (Knuth, The Art of Computer Programming 6.4) spreads each element over the upper bits.
            hash = (hash ^ (ulong)(long)MathF.Round(x / options.Cell)) * 0x9E3779B97F4A7C15;
            hash ^= hash >> 32;
        }
        int key = (int)(hash * 0x9E3779B97F4A7C15 >> 64 - options.HashBits);
        return table.Span.Slice((agent * (1 << options.HashBits) + key) * spec.ActionCount, spec.ActionCount);
    }
}

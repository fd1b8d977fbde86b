using System.Globalization;
using Marl.Native.Rl;

namespace Marl.Native.Cli.Playing;

/// <summary>Episodes that are played to be watched. Their chance is that of <see cref="Trainer.Evaluate"/>: trained agents play the
/// episodes that evaluations with the same seed judge them by.</summary>
internal sealed class Performance(IEnvironment environment, IPlayer player, Rng rng) : IDisposable
{
    /// <summary>What is played.</summary>
    public EnvironmentSpec Spec => environment.Spec;

    /// <summary>Whether there is something to see.</summary>
    public bool IsRenderable => environment is IRenderable;

    /// <summary>Who plays, in a word.</summary>
    public required string Player { get; init; }

    /// <summary>What chance follows from.</summary>
    public required ulong Seed { get; init; }

    /// <summary>How many episodes are played.</summary>
    public required int Episodes { get; init; }

    /// <summary>A letter for an agent: A, B, ..; a number is added where letters run out.</summary>
    public static string Name(int agent)
    {
        const int letters = 26;
        string number = agent < letters ? "" : (1 + agent / letters).ToString(CultureInfo.InvariantCulture);
        return $"{(char)('A' + agent % letters)}{number}";
    }

    /// <summary>A word for what an agent did.</summary>
    private string ActionName(int agent, JointAction actions)
        => Spec.IsContinuous ? string.Join(' ', actions.Vector(agent)[..Spec.Agents[agent].ActionCount].ToArray().Select(x => x.ToString("0.00", CultureInfo.InvariantCulture)))
        : environment is IRenderable pictured ? pictured.ActionName(agent, actions[agent]) : actions[agent].ToString(CultureInfo.InvariantCulture);

    /// <summary>Whether nothing comes after a frame.</summary>
    public bool IsLast(Frame frame) => frame.Episode == Episodes - 1 && frame.Result != StepResult.Running;

    /// <summary>Plays: the starts of all episodes and every step of them, one after the other.</summary>
    public IEnumerable<Frame> Play()
    {
        var pictured = environment as IRenderable;
        var (record, recorder) = (new Episode(Spec), new EpisodeRecorder(Spec));
        for (int i = 0; i < Episodes; i++)
        {
            double[] earned = new double[Spec.Agents.Length];
            var chance = rng.Split(RngPurpose.Evaluation).Split(RngPurpose.Environment, i);
            player.Begin(i);
            recorder.Begin(environment, record, ref chance);
            yield return new(i, 0, pictured?.Render()) { Earned = [.. earned], TeamReturns = [.. record.TeamReturns] };
            for (bool goesOn = true; goesOn;)
            {
                record.SetAction(player.Act(environment));
                string[] words = Words(record.JointAction(record.Length));
                goesOn = recorder.Step(ref chance);
                double[] rewards = recorder.Rewards.ToArray();
                for (int agent = 0; agent < rewards.Length; agent++)
                {
                    earned[agent] += rewards[agent];
                }
                yield return new(i, record.Length, pictured?.Render())
                {
                    Actions = words,
                    Rewards = rewards,
                    Earned = [.. earned],
                    TeamReturns = [.. record.TeamReturns],
                    Result = goesOn ? StepResult.Running : record.Terminated ? StepResult.Terminated : StepResult.Truncated,
                };
            }
        }
    }

    private string[] Words(JointAction actions)
    {
        string[] words = new string[Spec.Agents.Length];
        for (int agent = 0; agent < words.Length; agent++)
        {
            words[agent] = ActionName(agent, actions);
        }
        return words;
    }

    /// <inheritdoc/>
    public void Dispose() => (environment as IDisposable)?.Dispose();
}

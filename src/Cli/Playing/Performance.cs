using System.Globalization;
using Marl.Native.Rl;

namespace Marl.Native.Cli.Playing;

/// <summary>Episodes that are played to be watched. Their chance is that of <see cref="Trainer.Evaluate"/>: trained agents play the
/// episodes that evaluations with the same seed judge them by.</summary>
internal sealed class Performance(IEnvironment environment, IPlayer player, Rng rng) : IDisposable
{
    /// <summary>What is played.</summary>
    public EnvironmentSpec Spec => environment.Spec;

    /// <summary>Whether episodes begin with a scene.</summary>
    public bool IsRenderable
    {
        get
        {
            if (environment is not IRenderable renderable)
            {
                return false;
            }
            var chance = rng;
            environment.Reset(ref chance);
            return renderable.Render() is not null;
        }
    }

    /// <summary>Who plays, in a word.</summary>
    public required string Player { get; init; }

    /// <summary>What chance follows from.</summary>
    public required ulong Seed { get; init; }

    /// <summary>How many episodes are played.</summary>
    public required int Episodes { get; init; }

    /// <summary>The letter of an agent: A, B, .., Z, A2, ..</summary>
    public static string Letter(int agent)
    {
        const int letters = 26;
        string number = agent < letters ? "" : (1 + agent / letters).ToString(CultureInfo.InvariantCulture);
        return $"{(char)('A' + agent % letters)}{number}";
    }

    /// <summary>What the environment calls an agent; its letter if it has no name.</summary>
    public string NameOf(int agent) => Spec.Agents[agent].Name is { } name ? SceneSvg.Printable(name) : Letter(agent);

    /// <summary>What legends call the things of a role.</summary>
    public string RoleName(SceneRole role) => environment is IRenderable renderable ? renderable.RoleName(role) : FrameJson.Word(role);

    /// <summary>The name of what an agent did.</summary>
    private string ActionName(int agent, JointAction actions)
        => Spec.IsContinuous ? string.Join(' ', actions.Vector(agent)[..Spec.Agents[agent].ActionCount].ToArray().Select(x => x.ToString("0.00", CultureInfo.InvariantCulture)))
        : environment is IRenderable renderable ? renderable.ActionName(agent, actions[agent]) : actions[agent].ToString(CultureInfo.InvariantCulture);

    /// <summary>Whether nothing comes after a frame.</summary>
    public bool IsLast(Frame frame) => frame.Episode == Episodes - 1 && frame.Result != StepResult.Running;

    /// <summary>Plays: the starts of all episodes and every step of them, one after the other.</summary>
    public IEnumerable<Frame> Play()
    {
        var renderable = environment as IRenderable;
        var (record, recorder) = (new Episode(Spec), new EpisodeRecorder(Spec));
        for (int i = 0; i < Episodes; i++)
        {
            double[] earned = new double[Spec.Agents.Length];
            var chance = rng.Split(RngPurpose.Evaluation).Split(RngPurpose.Environment, i);
            player.Begin(i);
            recorder.Begin(environment, record, ref chance);
            yield return new(i, 0, renderable?.Render()) { Earned = [.. earned], TeamReturns = [.. record.TeamReturns] };
            for (bool goesOn = true; goesOn;)
            {
                record.SetAction(player.Act(environment));
                string[] actions = ActionNames(record.JointAction(record.Length));
                goesOn = recorder.Step(ref chance);
                double[] rewards = recorder.Rewards.ToArray();
                for (int agent = 0; agent < rewards.Length; agent++)
                {
                    earned[agent] += rewards[agent];
                }
                yield return new(i, record.Length, renderable?.Render())
                {
                    Actions = actions,
                    Rewards = rewards,
                    Earned = [.. earned],
                    TeamReturns = [.. record.TeamReturns],
                    Result = goesOn ? StepResult.Running : record.Terminated ? StepResult.Terminated : StepResult.Truncated,
                };
            }
        }
    }

    private string[] ActionNames(JointAction actions)
    {
        string[] names = new string[Spec.Agents.Length];
        for (int agent = 0; agent < names.Length; agent++)
        {
            names[agent] = ActionName(agent, actions);
        }
        return names;
    }

    /// <inheritdoc/>
    public void Dispose() => (environment as IDisposable)?.Dispose();
}

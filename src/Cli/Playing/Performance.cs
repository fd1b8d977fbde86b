using System.Globalization;
using Marl.Native.Rl;

namespace Marl.Native.Cli.Playing;

/// <summary>Plays episodes and yields their frames. The random numbers are those of <see cref="Trainer.Evaluate"/>: with the same seed, trained agents play the
/// episodes of their evaluations.</summary>
internal sealed class Performance(IEnvironment environment, IPlayer player, Rng rng) : IDisposable
{
    /// <summary>The spec of the environment.</summary>
    public EnvironmentSpec Spec => environment.Spec;

    /// <summary>Whether the environment has scenes to draw.</summary>
    public bool IsRenderable
    {
        get
        {
            if (environment is not IRenderable renderable)
            {
                return false;
            }
            var copy = rng;
            environment.Reset(ref copy);
            return renderable.Render() is not null;
        }
    }

    /// <summary>The path of the policy, or "random".</summary>
    public required string Player { get; init; }

    /// <summary>The seed of the random number generators.</summary>
    public required ulong Seed { get; init; }

    /// <summary>The number of episodes.</summary>
    public required int Episodes { get; init; }

    /// <summary>Returns the letter of an agent: A, B, .., Z, A2, ..</summary>
    public static string Letter(int agent)
    {
        const int letters = 26;
        string number = agent < letters ? "" : (1 + agent / letters).ToString(CultureInfo.InvariantCulture);
        return $"{(char)('A' + agent % letters)}{number}";
    }

    /// <summary>Returns the name of an agent; its letter if it has no name.</summary>
    public string NameOf(int agent) => Spec.Agents[agent].Name is { } name ? SceneSvg.Printable(name) : Letter(agent);

    /// <summary>Returns the name of a role for legends.</summary>
    public string RoleName(SceneRole role) => environment is IRenderable renderable ? renderable.RoleName(role) : FrameJson.NameOf(role);

    /// <summary>Returns the name of an agent's action: the name of an index, or the choices of all branches and the elements of the continuous part.</summary>
    private string ActionName(int agent, JointAction actions)
    {
        var size = Spec.Agents[agent];
        var (choices, vector) = (actions.Branches(agent)[..size.BranchCount].ToArray(), size.VectorSize > 0 ? actions.Vector(agent)[..size.VectorSize].ToArray() : []);
        return choices is [int index] && vector.Length == 0 && environment is IRenderable renderable ? renderable.ActionName(agent, index)
            : string.Join(' ', [.. choices.Select(choice => choice.ToString(CultureInfo.InvariantCulture)), .. vector.Select(x => x.ToString("0.00", CultureInfo.InvariantCulture))]);
    }

    /// <summary>Whether a frame is the last one.</summary>
    public bool IsLast(Frame frame) => frame.Episode == Episodes - 1 && frame.Result != StepResult.Running;

    /// <summary>Plays the episodes: a frame for the start of each, and one per step.</summary>
    public IEnumerable<Frame> Play()
    {
        var renderable = environment as IRenderable;
        var (record, recorder) = (new Episode(Spec), new EpisodeRecorder(Spec));
        for (int i = 0; i < Episodes; i++)
        {
            double[] agentReturns = new double[Spec.Agents.Length];
            var environmentRng = rng.Split(RngPurpose.Evaluation).Split(RngPurpose.Environment, i);
            player.Begin(i);
            recorder.Begin(environment, record, ref environmentRng);
            yield return new(i, 0, renderable?.Render()) { AgentReturns = [.. agentReturns], TeamReturns = [.. record.TeamReturns] };
            for (bool isRunning = true; isRunning;)
            {
                record.SetAction(player.Act(environment));
                string[] actions = ActionNames(record.JointAction(record.Length));
                isRunning = recorder.Step(ref environmentRng);
                double[] rewards = recorder.Rewards.ToArray();
                for (int agent = 0; agent < rewards.Length; agent++)
                {
                    agentReturns[agent] += rewards[agent];
                }
                yield return new(i, record.Length, renderable?.Render())
                {
                    Actions = actions,
                    Rewards = rewards,
                    AgentReturns = [.. agentReturns],
                    TeamReturns = [.. record.TeamReturns],
                    Result = isRunning ? StepResult.Running : record.Terminated ? StepResult.Terminated : StepResult.Truncated,
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

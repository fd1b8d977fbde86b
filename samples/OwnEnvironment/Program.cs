using Marl.Native;
using Marl.Native.Rl;
using OwnEnvironment;

// Throws with a list of all violations: state that is not saved, values that are not written or not finite, random numbers of another generator.
EnvironmentChecker.EnsureValid(() => new Buttons());

var options = new VdnOptions
{
    Agent = new MlpNetwork(),
    Hidden = 32,
    LearningRate = 1e-3f,
    Exploration = new EpsilonGreedy { EpsilonAnneal = 8_000 },
};
var (policy, summary) = Trainer.Train(options, () => new Buttons(), new() { Steps = 20_000, EvaluationInterval = 4_000 },
    progress => Console.WriteLine(FormattableString.Invariant($"step {progress.Steps,6}  return {progress.Evaluation.Mean,6:0.000}")));
Console.WriteLine(FormattableString.Invariant($"return {summary.ReturnMean:0.000} after {summary.Seconds:0.0} s"));

// The trained agents play an episode.
var (world, rng, rewards) = (new Buttons(), new Rng(3), new double[2]);
world.Reset(ref rng);
policy.Begin(ref rng);
StepResult result;
do
{
    Console.WriteLine(world);
    result = world.Step(policy.Act(world, ref rng), rewards, ref rng);
}
while (result == StepResult.Running);
Console.WriteLine(result == StepResult.Terminated ? $"{world} the door opens" : $"{world} too late");

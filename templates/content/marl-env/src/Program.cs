using Marl.Native;
using Marl.Native.Rl;
using MyEnvironment;

// Throws with a list of all violations of the rules of IEnvironment.
EnvironmentChecker.EnsureValid(() => new Game());

var options = new VdnOptions { Hidden = 32, Exploration = new EpsilonGreedy { EpsilonAnneal = 10_000 } };
var (policy, summary) = Trainer.Train(options, () => new Game(), new() { Steps = 30_000 },
    progress => Console.WriteLine($"step {progress.Steps,6}  return {progress.Evaluation.Mean:0.00}"));
Console.WriteLine($"return {summary.ReturnMean:0.00} after {summary.Seconds:0.0} s");
policy.Save("policy.safetensors");

// The trained agents play an episode.
var (game, rng, rewards) = (new Game(), new Rng(7), new double[2]);
game.Reset(ref rng);
policy.Begin(ref rng);
StepResult result;
do
{
    Console.WriteLine(game);
    result = game.Step(policy.Act(game, ref rng), rewards, ref rng);
}
while (result == StepResult.Running);
Console.WriteLine($"{game} {(result == StepResult.Terminated ? "met" : "did not meet")}");

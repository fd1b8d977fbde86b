using Marl.Native;
using Marl.Native.Rl;
using OwnAlgorithm;

// Programs use the algorithm like the built-in ones. On the command line:
// marl --load OwnAlgorithm.dll train own-weighted --env two-step
var options = new OwnWeightedOptions { LearningRate = 2e-3f, Exploration = new EpsilonGreedy { EpsilonAnneal = 4_000 } };
var (policy, summary) = Trainer.Train(options, () => Catalog.CreateEnvironment("two-step"), new() { Steps = 8_000, EvaluationInterval = 2_000 }, progress =>
{
    var (name, value) = progress.Update.Metrics[0];
    Console.WriteLine(FormattableString.Invariant($"step {progress.Steps,5}  return {progress.Evaluation.Mean:0.00}  {name} {value:0.000}"));
});

// With additive values (VDN) the agents converge to 7; the best return is 8.
Console.WriteLine(FormattableString.Invariant($"return {summary.ReturnMean:0.00}"));
string file = args.Length > 0 ? args[0] : Path.Combine(Path.GetTempPath(), "own-weighted.safetensors");
policy.Save(file);
var rng = new Rng(1);
Console.WriteLine(FormattableString.Invariant($"loaded again: return {Policy.Load(file).Play(Catalog.CreateEnvironment("two-step"), ref rng).Return:0.00}"));

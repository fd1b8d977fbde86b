using Marl.Native;
using Marl.Native.Rl;

// Two agents collect food that neither can collect alone (level-based foraging). A return of 1 is all of the food.
const string EnvironmentId = "lbf:8x8-2p-2f-coop";
string file = args.Length > 0 ? args[0] : "policy.safetensors";

// Independent advantage actor-critic. Other algorithms are other records: VdnOptions, QmixOptions, IppoOptions, MappoOptions, ..
var options = new Ia2cOptions
{
    Agent = new MlpNetwork(),
    Hidden = 64,
    LearningRate = 1e-3f,
};
var (policy, summary) = Trainer.Train(options, () => Catalog.CreateEnvironment(EnvironmentId), new() { Steps = 600_000 },
    progress => Console.WriteLine($"step {progress.Steps,6}  return {progress.Evaluation.Mean:0.00}"));
policy.Save(file);
Console.WriteLine($"return {summary.ReturnMean:0.00} after {summary.Seconds:0.0} s, saved to {file}");

// A program that only plays needs these lines and the file.
var agents = Policy.Load(file);
var (environment, rng) = (Catalog.CreateEnvironment(EnvironmentId), new Rng(7));
for (int i = 1; i <= 3; i++)
{
    var episode = agents.Play(environment, ref rng);
    Console.WriteLine($"episode {i}: return {episode.Return:0.00} in {episode.Length} steps");
}

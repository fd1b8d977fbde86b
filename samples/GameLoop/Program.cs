using System.Diagnostics;
using GameLoop;
using Marl.Native.Rl;

// GameLoop [seconds] [--fast]: two policies race for coins, 60 ticks per second; --fast does not wait between ticks.
const int Frequency = 60;
int ticks = Frequency * (args.Length > 0 && int.TryParse(args[0], out int seconds) ? seconds : 5);
bool waits = !args.Contains("--fast");

// A game would ship a file and load it: Policy.Load("seeker.safetensors").
var options = new IqlOptions { Agent = new MlpNetwork(), Hidden = 32, Gamma = 0.9f, LearningRate = 1e-3f, Exploration = new EpsilonGreedy { EpsilonAnneal = 4_000 } };
var (policy, _) = Trainer.Train(options, () => new Seeker(), new() { Steps = 10_000 });

// A policy holds the recurrent state of its episode, so each player has its own; the clone shares the weights.
var game = new CoinRace(policy, policy.Clone());
for (int tick = 0; tick < Frequency; tick++)
{
    game.Tick(); // the first ticks allocate buffers
}
long allocated = 0, acting = 0, start = Stopwatch.GetTimestamp();
for (int tick = 1; tick <= ticks; tick++)
{
    long before = GC.GetAllocatedBytesForCurrentThread(), began = Stopwatch.GetTimestamp();
    game.Tick();
    acting += Stopwatch.GetTimestamp() - began;
    allocated += GC.GetAllocatedBytesForCurrentThread() - before;
    if (tick % Frequency == 0)
    {
        Console.WriteLine($"{tick / Frequency,3} s  coins {game.Coins[0]} : {game.Coins[1]}");
    }
    while (waits && Stopwatch.GetElapsedTime(start).TotalSeconds < (double)tick / Frequency)
    {
        Thread.Sleep(1);
    }
}
Console.WriteLine(FormattableString.Invariant(
    $"{allocated} bytes in {ticks} ticks, {acting * 1e6 / Stopwatch.Frequency / ticks:0.0} us per tick of two policies"));

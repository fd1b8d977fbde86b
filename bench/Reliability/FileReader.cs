using System.Text;
using System.Text.Json.Nodes;
using Marl.Native.Nn;
using Marl.Native.Rl;

namespace Marl.Native.Bench.Reliability;

/// <summary>A reader of files or messages that may come from anybody: valid ones to start from, how they are damaged, and what reading them may throw.</summary>
internal abstract class FileReader
{
    /// <summary>The name.</summary>
    public abstract string Name { get; }

    /// <summary>Valid files.</summary>
    public abstract IReadOnlyList<byte[]> Samples { get; }

    /// <summary>Creates all readers. The files that they read are written into <paramref name="folder"/>.</summary>
    public static FileReader[] All(string folder) =>
    [
        new SafetensorsFile(folder),
        new PolicyFile(folder),
        new CheckpointFile(folder, "checkpoint-replay", "vdn", "two-step", Replaying),
        new CheckpointFile(folder, "checkpoint-episodes", "mappo", "lbf:5x5-2p-1f", Small),
        new CheckpointFile(folder, "checkpoint-segments", "mappo", "lbf:5x5-2p-1f", [.. Small, "rolloutLength=4"]),
        new MetricsFile(folder, "metrics.jsonl"),
        new MetricsFile(folder, "metrics.csv"),
        new ConfigurationFile(),
        new MatrixFile(folder),
        new ProgramAnswer(),
    ];

    /// <summary>Returns a damaged copy of a file.</summary>
    public abstract byte[] Mutate(Mutator mutator, byte[] file, byte[] other);

    /// <summary>Reads a file, and uses what was read.</summary>
    public abstract void Read(byte[] content);

    /// <summary>Whether the documentation of the reader names the exception.</summary>
    public abstract bool IsDocumented(Exception error);

    private static readonly string[] Small = ["hidden=4", "environments=2", "evaluationEpisodes=1", "threads=1", "steps=40", "checkpointInterval=10", "evaluationInterval=20"];

    private static readonly string[] Replaying = [.. Small, "batchSize=2", "bufferSize=6"];

    private static Trainer Create(string algorithm, string environment, RunFolder? run, IEnumerable<string> settings)
        => new(RunConfiguration.Of(algorithm, environment, null, settings), folder: run);

    /// <summary>A safetensors file that is damaged as bytes, in its header, or in an element, and a text of its metadata.</summary>
    private static byte[] MutateTensors(Mutator mutator, byte[] file, byte[] other, string path, string? metadata = null)
    {
        switch (mutator.Next(metadata is null ? 3 : 4))
        {
            case 0:
                return mutator.Bytes(file, other);
            case 1:
                int length = 8 + (int)BitConverter.ToInt64(file);
                byte[] header = Encoding.UTF8.GetBytes(mutator.Json(Encoding.UTF8.GetString(file.AsSpan(8, length - 8))));
                return [.. BitConverter.GetBytes((long)header.Length), .. header, .. file.AsSpan(length)];
            default:
                File.WriteAllBytes(path, file);
                var content = Safetensors.Read(path);
                var texts = content.Metadata.ToDictionary(text => text.Key, text => text.Value);
                if (metadata is not null && mutator.Next(3) > 0)
                {
                    texts[metadata] = mutator.Json(texts[metadata]);
                }
                else
                {
                    MutateElement(mutator, mutator.Pick([.. content.Entries.Where(entry => entry.Size > 0)]));
                }
                new Safetensors(content.Entries, texts).Write(path);
                return File.ReadAllBytes(path);
        }
    }

    private static void MutateElement(Mutator mutator, SafetensorsEntry entry)
    {
        double value = mutator.Pick<double>([double.NaN, double.PositiveInfinity, double.NegativeInfinity, -1, 0, 1, 0.5, 1e9, -1e9, 1e18, -1e18, 1e30, 1e300, 3, 7, 1000]);
        int at = mutator.Next(entry.Values.Length);
        switch (entry.Values)
        {
            case float[] floats:
                floats[at] = (float)value;
                break;
            case double[] doubles:
                doubles[at] = value;
                break;
            case int[] integers:
                integers[at] = int.CreateSaturating(value);
                break;
            case long[] longs:
                longs[at] = long.CreateSaturating(value);
                break;
            case ulong[] words:
                words[at] = ulong.CreateSaturating(value);
                break;
            case bool[] flags:
                flags[at] = !flags[at];
                break;
        }
    }

    private sealed class SafetensorsFile(string folder) : FileReader
    {
        private readonly string path = Path.Combine(folder, "any.safetensors");

        public override string Name => "safetensors";

        public override IReadOnlyList<byte[]> Samples { get; } = Create(folder);

        private static IReadOnlyList<byte[]> Create(string folder)
        {
            string path = Path.Combine(folder, "sample.safetensors");
            new Safetensors([SafetensorsEntry.Of("weight", [2, 3], new float[6]), SafetensorsEntry.Of("steps", [], new long[] { 7 }), SafetensorsEntry.Of("flags", [3], new bool[3]),
                SafetensorsEntry.Of("none", [0, 5], Array.Empty<double>())], new Dictionary<string, string> { ["note"] = "text", ["é"] = "\n" }).Write(path);
            return [File.ReadAllBytes(path)];
        }

        public override byte[] Mutate(Mutator mutator, byte[] file, byte[] other) => MutateTensors(mutator, file, other, path);

        public override void Read(byte[] content)
        {
            File.WriteAllBytes(path, content);
            _ = Safetensors.Read(path);
        }

        public override bool IsDocumented(Exception error) => error is InvalidDataException;
    }

    private sealed class PolicyFile(string folder) : FileReader
    {
        private readonly string path = Path.Combine(folder, "policy.safetensors");

        public override string Name => "policy";

        public override IReadOnlyList<byte[]> Samples { get; } = Create(folder);

        private static IReadOnlyList<byte[]> Create(string folder)
        {
            List<byte[]> samples = [];
            foreach (var (algorithm, environment, settings) in ((string, string, string[])[])
                [("qmix", "two-step", [.. Replaying, "agent=gru"]), ("mappo", "lbf:5x5-2p-1f", [.. Small, "shareParameters=false"]), ("maddpg", "mpe:adversary", Replaying)])
            {
                using var trainer = FileReader.Create(algorithm, environment, null, settings);
                string path = Path.Combine(folder, "sample.safetensors");
                trainer.Policy.Save(path);
                samples.Add(File.ReadAllBytes(path));
            }
            return samples;
        }

        public override byte[] Mutate(Mutator mutator, byte[] file, byte[] other) => MutateTensors(mutator, file, other, path, "policy");

        public override void Read(byte[] content)
        {
            File.WriteAllBytes(path, content);
            var policy = Policy.Load(path);
            var (agents, rng) = (policy.Description.Agents.Length, new Rng(1));
            float[] observations = new float[agents * policy.Description.ObservationSize];
            policy.Begin(ref rng);
            if (policy.Description.Network.Observation == ObservationKind.State || policy.Description.ActionLayout.VectorSize > 0)
            {
                return;
            }
            int[] actions = new int[agents * policy.Description.ActionLayout.Branches];
            policy.Act(observations, [], actions, ref rng);
        }

        public override bool IsDocumented(Exception error) => error is InvalidDataException;
    }

    private sealed class CheckpointFile : FileReader
    {
        private readonly RunFolder files;
        private readonly string any;

        public CheckpointFile(string folder, string name, string algorithm, string environment, IEnumerable<string> settings)
        {
            (Name, any) = (name, Path.Combine(folder, "any.safetensors"));
            files = RunFolder.New(Path.Combine(folder, name));
            using (files)
            {
                using var trainer = FileReader.Create(algorithm, environment, files, settings);
                trainer.Run();
            }
            Samples = [File.ReadAllBytes(files.Checkpoint)];
        }

        public override string Name { get; }

        public override IReadOnlyList<byte[]> Samples { get; }

        public override byte[] Mutate(Mutator mutator, byte[] file, byte[] other) => MutateTensors(mutator, file, other, any);

        // A round is played with what was read.
        public override void Read(byte[] content)
        {
            File.Delete(Path.Combine(files.Path, "checkpoint.previous.safetensors"));
            File.WriteAllBytes(files.Checkpoint, content);
            using var run = new RunFolder(files.Path);
            using var trainer = Trainer.Resume(run, steps: long.MaxValue / 2);
            using var stop = new CancellationTokenSource(TimeSpan.FromSeconds(2));
            trainer.Run(onRound: (_, _) => stop.Cancel(), cancellationToken: stop.Token);
        }

        public override bool IsDocumented(Exception error) => error is InvalidDataException or UsageException or DivergedException or EnvironmentException;
    }

    private sealed class ConfigurationFile : FileReader
    {
        public override string Name => "configuration";

        public override IReadOnlyList<byte[]> Samples { get; } =
        [
            .. from run in ((string, string)[])[("qmix", "two-step"), ("mappo", "lbf:8x8-2p-2f-coop"), ("maddpg", "mpe:spread"), ("qplex", "climbing")]
               select Encoding.UTF8.GetBytes(RunConfiguration.Of(run.Item1, run.Item2).ToJson()),
            """{"algorithm": "vdn", "environment": "climbing", "training": {"steps": 2e6}, "options": {"agent": {"type": "gru", "layers": 1}}}"""u8.ToArray(),
        ];

        public override byte[] Mutate(Mutator mutator, byte[] file, byte[] other) => mutator.Text(file, other);

        public override void Read(byte[] content)
        {
            var configuration = RunConfiguration.Parse(Encoding.UTF8.GetString(content));
            configuration.Training.Validate();
            _ = configuration.ToJson();
        }

        public override bool IsDocumented(Exception error) => error is UsageException;
    }

    private sealed class MatrixFile(string folder) : FileReader
    {
        private readonly string path = Path.Combine(folder, "game.json");

        public override string Name => "matrix";

        public override IReadOnlyList<byte[]> Samples { get; } =
        [
            """{"payoff": [[11, -30, 0], [-30, 7, 0], [0, 6, 5]], "steps": 3}"""u8.ToArray(),
            """{"payoffs": [[[-1, -3], [0, -2]], [[-1, 0], [-3, -2.5e0]]]}"""u8.ToArray(),
            """{"payoff": [[[1, 2], [3, 4]], [[5, 6], [7, 8]]]}"""u8.ToArray(),
        ];

        public override byte[] Mutate(Mutator mutator, byte[] file, byte[] other) => mutator.Text(file, other);

        public override void Read(byte[] content)
        {
            File.WriteAllBytes(path, content);
            var game = Catalog.CreateEnvironment($"matrix:{path}");
            var rng = new Rng(1);
            game.Reset(ref rng);
            game.Step(new int[game.Spec.Agents.Length], new double[game.Spec.Agents.Length], ref rng);
        }

        public override bool IsDocumented(Exception error) => error is UsageException;
    }

    private sealed class MetricsFile : FileReader
    {
        private readonly RunConfiguration configuration;
        private readonly string folder, path;

        public MetricsFile(string folder, string name)
        {
            this.folder = Path.Combine(folder, $"run of {name}");
            path = Path.Combine(this.folder, name);
            using var files = RunFolder.New(this.folder);
            using var trainer = FileReader.Create("vdn", "two-step", files, Replaying);
            trainer.Run();
            (Name, configuration, Samples) = (name, trainer.Configuration, [File.ReadAllBytes(path)]);
        }

        public override string Name { get; }

        public override IReadOnlyList<byte[]> Samples { get; }

        public override byte[] Mutate(Mutator mutator, byte[] file, byte[] other) => mutator.Next(4) == 0 ? mutator.Bytes(file, other)
            : [.. Encoding.UTF8.GetString(file).Split('\n').SelectMany(line => Encoding.UTF8.GetBytes((mutator.Next(4) == 0 ? mutator.Json(line) : line) + "\n"))];

        public override void Read(byte[] content)
        {
            File.WriteAllBytes(path, content);
            using var files = new RunFolder(folder);
            files.Begin(configuration, steps: 20);
        }

        public override bool IsDocumented(Exception error) => error is InvalidDataException;
    }

    private sealed class ProgramAnswer : FileReader
    {
        private readonly ExternalTimeStep step;

        public ProgramAnswer() => step = new(ExternalProtocol.ReadHello(Samples[0], "cmd:program"));

        public override string Name => "answer";

        public override IReadOnlyList<byte[]> Samples { get; } =
        [
            """{"protocol":1,"agents":[{"name":"a","observation_size":2,"actions":2},{"name":"b","observation_size":1,"actions":3,"team":1}],"episode_limit":5,"state_size":2}"""u8.ToArray(),
            """{"protocol":1,"agents":[{"observation_size":2,"actions":2,"box":[-1,1]}],"episode_limit":5,"reward":"mean"}"""u8.ToArray(),
            """{"observations":[[1,2],[3]],"state":[0,1],"available":[[1,0],[true,false,true]]}"""u8.ToArray(),
            """{"observations":[[1.5,-2e1],[3]],"state":[0,1],"rewards":[0,1],"terminated":false,"truncated":true}"""u8.ToArray(),
        ];

        public override byte[] Mutate(Mutator mutator, byte[] file, byte[] other) => mutator.Text(file, other);

        public override void Read(byte[] content)
        {
            Exception? refused = null;
            bool accepted = false;
            foreach (var read in (Action[])[Describe, () => step.Read(content, first: true), () => step.Read(content, first: false)])
            {
                try
                {
                    read();
                    accepted = true;
                }
                catch (ExternalProgramException e)
                {
                    refused = e;
                }
            }
            if (!accepted)
            {
                throw refused!;
            }

            void Describe() => _ = new ExternalTimeStep(ExternalProtocol.ReadHello(content, "cmd:program"));
        }

        public override bool IsDocumented(Exception error) => error is ExternalProgramException;
    }
}

using System.Text.Json;
using Marl.Native.Nn;

namespace Marl.Native.Tests;

/// <summary>One case: what was computed, from which tensors and hyper-parameters, with which results. Results are compared by name; a result that was neither
/// compared nor left out for a reason makes the case fail, and so does a hyper-parameter that was not read: nothing is passed over in silence.</summary>
internal sealed class ReferenceCase
{
    private readonly JsonElement hyper, tensors;
    private readonly HashSet<string> read = [];
    private readonly Dictionary<string, (Tensor Value, double[]? Exact)> values = [];
    private readonly Dictionary<string, Tensor> uploaded = [];
    private readonly HashSet<string> done = [];
    private readonly List<string> faults = [];

    private ReferenceCase(string name, Device device, string folder)
    {
        (Name, Device) = (name, device);
        var root = JsonDocument.Parse(File.ReadAllBytes(ReferenceData.Find(folder, name + ".json"))).RootElement;
        (hyper, tensors) = (root.GetProperty("hyper"), root.GetProperty("tensors"));
        Read(Safetensors.Read(ReferenceData.Find(folder, name + ".safetensors")));
    }

    /// <summary>Its file name.</summary>
    public string Name { get; }

    /// <summary>Where it is computed.</summary>
    public Device Device { get; }

    /// <summary>The numbers of shards to learn with: of another device than the CPU it is one, for a whole batch is one launch.</summary>
    public int[] Shards => Device == Device.Cpu ? [1, 2] : [1];

    /// <summary>All tensors that are not results.</summary>
    public IEnumerable<string> Inputs => Names("input");

    /// <summary>All results.</summary>
    public IEnumerable<string> Outputs => Names("output");

    /// <summary>An input, or a result for what follows from it, where the case is computed. Whole numbers come as floats.</summary>
    public Tensor this[string name] => uploaded.TryGetValue(name, out var there) ? there : uploaded[name] = Upload(Host(name));

    /// <summary>The same in this process.</summary>
    public Tensor Host(string name) => values.TryGetValue(name, out var found) ? found.Value
        : throw new KeyNotFoundException($"{Name} has no tensor '{name}'");

    /// <summary>Numbers of this process where the case is computed.</summary>
    public Tensor Upload(Tensor x)
    {
        if (Device == Device.Cpu)
        {
            return x;
        }
        var there = Device.Zeros(x.Shape);
        x.CopyTo(there);
        return there;
    }

    /// <summary>Runs a case to its end, on the CPU.</summary>
    public static void Run(string name, Action<ReferenceCase> body) => Run(name, null, body);

    /// <summary>Runs a case to its end, on a device; none: the CPU. Every device is held to the case's own tolerances.</summary>
    public static void Run(string name, Device? on, Action<ReferenceCase> body, string folder = "learners")
    {
        var c = new ReferenceCase(name, on ?? Device.Cpu, folder);
        body(c);
        c.Finish();
    }

    /// <summary>Whether it has such a tensor.</summary>
    public bool Has(string name) => values.ContainsKey(name);

    /// <summary>A hyper-parameter.</summary>
    public float Number(string name) => (float)Exact(name);

    /// <summary>A hyper-parameter, or what it is when it is not there.</summary>
    public float Number(string name, double otherwise) => (float)Exact(name, otherwise);

    /// <summary>A hyper-parameter with all its digits.</summary>
    public double Exact(string name) => Hyper(name)!.Value.GetDouble();

    /// <inheritdoc cref="Number(string, double)"/>
    public double Exact(string name, double otherwise)
        => Hyper(name) is { ValueKind: JsonValueKind.Number } value ? value.GetDouble() : otherwise;

    /// <summary>A hyper-parameter that is a list.</summary>
    public double[] Numbers(string name) => [.. Hyper(name)!.Value.EnumerateArray().Select(v => v.GetDouble())];

    /// <summary>A hyper-parameter that is a word; none: null.</summary>
    public string? Text(string name)
        => Hyper(name) is { ValueKind: JsonValueKind.String } value ? value.GetString() : null;

    /// <summary>A hyper-parameter that is a list of yes and no.</summary>
    public bool[] Flags(string name) => [.. Hyper(name)!.Value.EnumerateArray().Select(v => v.GetBoolean())];

    /// <summary>A hyper-parameter that is yes or no.</summary>
    public bool Flag(string name, bool otherwise = false)
        => Hyper(name) is { } value ? value.ValueKind == JsonValueKind.True : otherwise;

    /// <summary>Holds a result against the expected one, the double where there is one.</summary>
    public void Compare(string name, Tensor got)
    {
        done.Add(name);
        var (expected, exact) = values[name];
        float tolerance = tensors.GetProperty(name).GetProperty("tol").GetSingle();
        if (!SameAxes(expected.Shape, got.Shape))
        {
            faults.Add($"{name}: shape {got.Shape}, expected {expected.Shape}");
            return;
        }
        float[] numbers = got.ToArray();
        double worst = 0;
        for (int i = 0; i < numbers.Length; i++)
        {
            double error = Math.Abs(numbers[i] - (exact is null ? expected.Span[i] : exact[i]));
            worst = double.IsNaN(error) ? double.PositiveInfinity : Math.Max(worst, error);
        }
        if (worst > tolerance)
        {
            faults.Add($"{name}: off by {worst:g3}, tolerance {tolerance:g3}");
        }
    }

    /// <inheritdoc cref="Compare(string, Tensor)"/>
    public void Compare(string name, double got) => Compare(name, Tensor.Of([(float)got]));

    /// <summary>Leaves out hyper-parameters that say nothing of this case.</summary>
    public void LeaveOutParameters(string reason, params IEnumerable<string> names)
    {
        Assert.False(string.IsNullOrWhiteSpace(reason));
        read.UnionWith(names);
    }

    /// <summary>Leaves out all results whose names begin with <paramref name="prefix"/>.</summary>
    /// <param name="prefix">of names.</param>
    /// <param name="reason">for the reader.</param>
    public void LeaveOut(string prefix, string reason)
    {
        Assert.False(string.IsNullOrWhiteSpace(reason));
        done.UnionWith(Outputs.Where(name => name.StartsWith(prefix, StringComparison.Ordinal)));
    }

    /// <summary>[B, T, ..] as [T, B, ..], or the reverse.</summary>
    public static Tensor SwapAxes(Tensor x)
    {
        var shape = x.Shape;
        int rest = shape.Product(2, shape.Rank);
        var y = x.Device.Zeros(shape.With(0, shape[1]).With(1, shape[0]));
        x.Device.CopyStrided(x, [0, rest, shape[1] * rest, 1], y, [0, shape[0] * rest, rest, 1], [1, shape[1], shape[0], rest], false);
        return y;
    }

    private void Finish()
    {
        faults.AddRange(Outputs.Where(name => !done.Contains(name)).Select(name => $"{name}: never compared"));
        faults.AddRange(hyper.EnumerateObject().Where(parameter => !read.Contains(parameter.Name)).Select(parameter => $"hyper-parameter {parameter.Name}: never read"));
        Assert.True(faults.Count == 0, $"{Name}:\n  {string.Join("\n  ", faults)}");
        Assert.True(done.Count > 0, $"{Name} has no results");
    }

    private JsonElement? Hyper(string name)
    {
        read.Add(name);
        return hyper.TryGetProperty(name, out var value) ? value : null;
    }

    private IEnumerable<string> Names(string role)
        => tensors.EnumerateObject().Where(t => t.Value.GetProperty("role").GetString() == role).Select(t => t.Name);

    /// <summary>Equal but for axes of length 1: a scalar is [] here and [1] there.</summary>
    private static bool SameAxes(Shape a, Shape b)
    {
        return Long(a).SequenceEqual(Long(b));

        static IEnumerable<int> Long(Shape s) => Enumerable.Range(0, s.Rank).Select(axis => s[axis]).Where(length => length != 1);
    }

    /// <summary>The first axes as one where there are more than a tensor has.</summary>
    private static int[] Folded(int[] shape) => shape.Length <= Shape.MaxRank ? shape
        : [shape[..^(Shape.MaxRank - 1)].Aggregate((a, b) => a * b), .. shape[^(Shape.MaxRank - 1)..]];

    private void Read(Safetensors file)
    {
        foreach (var entry in file.Entries)
        {
            float[]? numbers = entry.TryGet(out float[] floats) ? floats : entry.TryGet(out int[] ints) ? [.. ints.Select(i => (float)i)] : null;
            if (numbers is not null)
            {
                string exact = entry.Name + ".f64";
                values[entry.Name] = (Tensor.Of(numbers, Folded(entry.Shape.ToArray())), file.Find(exact)?.TryGet(out double[] doubles) == true ? doubles : null);
            }
        }
    }
}

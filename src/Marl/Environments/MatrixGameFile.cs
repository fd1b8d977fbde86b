using System.Globalization;
using System.Text.Json;
using Marl.Native.Nn;

namespace Marl.Native.Rl;

/// <summary>
/// Reads a matrix game from a JSON file: <c>{"payoff": [[8, 0], [0, 5]], "steps": 25}</c>. The payoff is nested arrays, one level per agent, indexed by the
/// agents' actions; <c>"payoffs"</c> is a list with one such tensor per agent instead. <c>steps</c> is optional. Comments, trailing commas and a byte order
/// mark are allowed.
/// </summary>
internal static class MatrixGameFile
{
    /// <summary>Reads the file whose path is the layout of <paramref name="id"/>; <paramref name="steps"/> overrides the steps of the file.</summary>
    /// <exception cref="UsageException">The file cannot be read or is not valid; the message names the file and the position.</exception>
    public static MatrixGame Read(EnvironmentId id, int? steps)
    {
        if (id.Layout.Length == 0)
        {
            throw id.Error("the path of a JSON file is missing after the colon");
        }

        try
        {
            using var file = JsonDocument.Parse(Disk.ReadText(id.Layout), Json.Lenient);
            Json.RequireUnicode(file.RootElement);
            return Read(id, file.RootElement, steps);
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException or JsonException or InvalidOperationException)
        {
            throw id.Error($"cannot read the file: {Printable.Of(error.Message, maxLength: 300)}");
        }
    }

    private static MatrixGame Read(EnvironmentId id, JsonElement root, int? steps)
    {
        if (root.ValueKind != JsonValueKind.Object)
        {
            throw id.Error("the file must be an object, {\"payoff\": [[..]]}");
        }

        JsonElement? common = null, individual = null;
        foreach (var property in root.EnumerateObject())
        {
            switch (property.Name)
            {
                case "payoff":
                    common = property.Value;
                    break;
                case "payoffs":
                    individual = property.Value;
                    break;
                case "steps":
                    if (!int.TryParse(property.Value.GetRawText(), NumberStyles.Float, CultureInfo.InvariantCulture, out int inFile) || inFile < 1)
                    {
                        throw id.Error($"'steps' must be an integer in 1 .. {int.MaxValue}");
                    }

                    steps ??= inFile;
                    break;
                default:
                    throw UsageException.Unknown($"property in '{id.Layout}'", property.Name, ["payoff", "payoffs", "steps"]);
            }
        }
        if (common is null == individual is null)
        {
            throw id.Error("the file must have either 'payoff' (common) or 'payoffs' (one tensor for each agent)");
        }

        double[][] payoffs;
        int[] actions;
        if (common is { } tensor)
        {
            actions = Shape(tensor);
            payoffs = [Flatten(id, tensor, actions, "payoff")];
        }
        else
        {
            var tensors = individual!.Value;
            if (tensors.ValueKind != JsonValueKind.Array || tensors.GetArrayLength() == 0)
            {
                throw id.Error("'payoffs' must be a list with one tensor for each agent");
            }

            actions = Shape(tensors[0]);
            if (tensors.GetArrayLength() != actions.Length)
            {
                throw id.Error($"'payoffs' has {tensors.GetArrayLength()} tensors, but payoffs[0] has {actions.Length} dimensions, one for each agent");
            }

            payoffs = new double[actions.Length][];
            for (int agent = 0; agent < payoffs.Length; agent++)
            {
                payoffs[agent] = Flatten(id, tensors[agent], actions, $"payoffs[{agent}]");
            }
        }
        return new MatrixGame(EnvironmentId.WithFullPath(id.Text), actions, payoffs, steps ?? MatrixGame.DefaultSteps);
    }

    /// <summary>Returns the lengths along the first elements; <see cref="Flatten"/> compares the others.</summary>
    private static int[] Shape(JsonElement tensor)
    {
        List<int> lengths = [];
        while (tensor.ValueKind == JsonValueKind.Array)
        {
            lengths.Add(tensor.GetArrayLength());
            if (lengths[^1] == 0)
            {
                break;
            }

            tensor = tensor[0];
        }
        return [.. lengths];
    }

    private static double[] Flatten(EnvironmentId id, JsonElement tensor, int[] shape, string name)
    {
        if (shape.Length == 0)
        {
            throw id.Error($"{name} must be nested arrays of numbers");
        }

        List<double> values = [];
        int[] position = new int[shape.Length];
        Append(tensor, 0);
        return [.. values];

        void Append(JsonElement part, int depth)
        {
            string Path() => name + string.Concat(position.Take(depth).Select(index => $"[{index}]"));
            if (depth == shape.Length)
            {
                if (part.ValueKind != JsonValueKind.Number || !part.TryGetDouble(out double value) || !double.IsFinite(value))
                {
                    throw id.Error($"{Path()} must be a finite number");
                }

                values.Add(value);
                return;
            }
            if (part.ValueKind != JsonValueKind.Array)
            {
                throw id.Error($"{Path()} must be an array of {shape[depth]}");
            }

            int length = part.GetArrayLength();
            if (length != shape[depth] || length == 0)
            {
                throw id.Error($"{Path()} has {length} elements instead of {Math.Max(1, shape[depth])}; the array must not be ragged");
            }

            position[depth] = 0;
            foreach (var item in part.EnumerateArray())
            {
                Append(item, depth + 1);
                position[depth]++;
            }
        }
    }
}

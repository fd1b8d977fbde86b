using System.Globalization;
using System.Text.Json;

namespace Marl.Native.Rl;

/// <summary>
/// Reads a matrix game: <c>{"payoff": [[8, 0], [0, 5]], "steps": 25}</c>, nested arrays indexed by the agents' actions in their order,
/// one level for each agent; or <c>"payoffs"</c>, a list with such a tensor for each agent. <c>steps</c> may be left out. The file may have comments,
/// trailing commas and a byte order mark.
/// </summary>
internal static class MatrixGameFile
{
    /// <summary>Reads the file that the layout of <paramref name="id"/> names; <paramref name="steps"/> overrides its own.</summary>
    /// <exception cref="UsageException">the file cannot be read or is no game; the message names the file and the place in it.</exception>
    public static MatrixGame Read(EnvironmentId id, int? steps)
    {
        if (id.Layout.Length == 0)
        {
            throw id.Error("the path of a JSON file must stand after the colon");
        }

        try
        {
            using var file = JsonDocument.Parse(File.ReadAllText(id.Layout), Json.Lenient);
            return Read(id, file.RootElement, steps);
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException or JsonException)
        {
            throw id.Error($"cannot read the file: {error.Message}");
        }
    }

    private static MatrixGame Read(EnvironmentId id, JsonElement root, int? steps)
    {
        if (root.ValueKind != JsonValueKind.Object)
        {
            throw id.Error("the file must hold an object, {\"payoff\": [[..]]}");
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
                        throw id.Error($"'steps' must be a whole number in 1 .. {int.MaxValue}");
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
                throw id.Error($"'payoffs' has {tensors.GetArrayLength()} tensors, but payoffs[0] is nested {actions.Length} deep, once for each agent");
            }

            payoffs = new double[actions.Length][];
            for (int agent = 0; agent < payoffs.Length; agent++)
            {
                payoffs[agent] = Flatten(id, tensors[agent], actions, $"payoffs[{agent}]");
            }
        }
        return new MatrixGame(id.Text, actions, payoffs, steps ?? MatrixGame.DefaultSteps);
    }

    /// <summary>The lengths along the first entries; the others are compared with them in <see cref="Flatten"/>.</summary>
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

        List<double> numbers = [];
        Append(tensor, 0, name);
        return [.. numbers];

        void Append(JsonElement part, int depth, string path)
        {
            if (depth == shape.Length)
            {
                if (part.ValueKind != JsonValueKind.Number || !part.TryGetDouble(out double number) || !double.IsFinite(number))
                {
                    throw id.Error($"{path} must be a finite number");
                }

                numbers.Add(number);
                return;
            }
            if (part.ValueKind != JsonValueKind.Array)
            {
                throw id.Error($"{path} must be an array of {shape[depth]}");
            }

            int length = part.GetArrayLength();
            if (length != shape[depth] || length == 0)
            {
                throw id.Error($"{path} has {length} entries, but {Math.Max(1, shape[depth])} are needed: the array is ragged");
            }

            for (int i = 0; i < length; i++)
            {
                Append(part[i], depth + 1, $"{path}[{i}]");
            }
        }
    }
}

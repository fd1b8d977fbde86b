namespace Marl.Native.Rl;

/// <summary>Names of options in earlier versions, to be named in errors. The old names are not accepted.</summary>
internal static class RenamedOptions
{
    private static readonly Dictionary<string, string> Names = new()
    {
        ["checkpointEvery"] = "checkpointInterval",
        ["clip"] = "clipRange",
        ["entropy"] = "entropyCoefficient",
        ["evaluateEvery"] = "evaluationInterval",
        ["floorAnneal"] = "exploration.epsilonFloorAnneal",
        ["floorFinish"] = "exploration.epsilonFloorFinish",
        ["floorStart"] = "exploration.epsilonFloorStart",
        ["gradientClip"] = "maxGradientNorm",
        ["hypernetEmbed"] = "mixer.hypernetEmbed",
        ["importanceNormalise"] = "importanceNormalize",
        ["infer"] = "inferPolicies",
        ["inferenceEntropy"] = "inferenceEntropyCoefficient",
        ["members"] = "ensembleSize",
        ["mixingEmbed"] = "mixer.embed",
        ["normaliseAdvantages"] = "normalizeAdvantages",
        ["optimizerEpsilon"] = "optimizer.epsilon",
        ["outputPenalty"] = "logitRegularization",
        ["rmspropAlpha"] = "optimizer.alpha",
        ["shared"] = "shareParameters",
        ["smoothing"] = "targetPolicyNoise",
        ["smoothingClip"] = "targetNoiseClip",
        ["standardiseReturns"] = "standardizeReturns",
        ["standardiseRewards"] = "standardizeRewards",
        ["targetEvery"] = "targetUpdateInterval",
        ["twin"] = "twinCritics",
        ["valueClip"] = "valueClipRange",
    };

    /// <summary>The error for a name that no option has: the present name of a renamed option, or the nearest name.</summary>
    /// <param name="name">As it was given, dotted or short.</param>
    /// <param name="names">The options that there are.</param>
    /// <param name="list">The command that lists them.</param>
    public static UsageException Unknown(string name, IEnumerable<string> names, string list)
        => Names.TryGetValue(name[(name.LastIndexOf('.') + 1)..], out string? renamed) && names.Contains(renamed)
            ? new UsageException($"option '{name}' was renamed; use '{renamed}'")
            : UsageException.Unknown("option", name, names, list);
}

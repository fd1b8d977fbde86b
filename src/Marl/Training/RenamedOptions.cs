namespace Marl.Native.Rl;

/// <summary>The former names of options, for error messages. Former names are not accepted.</summary>
internal static class RenamedOptions
{
    private static readonly Dictionary<string, string> Names = new()
    {
        ["checkpointEvery"] = "checkpointInterval",
        ["clip"] = "clipRange",
        ["entropy"] = "entropyCoefficient",
        ["entropyAnneal"] = "entropyAnnealFraction",
        ["entropyStart"] = "entropyCoefficientStart",
        ["evaluateEvery"] = "evaluationInterval",
        ["floorAnneal"] = "exploration.epsilonFloorAnneal",
        ["floorFinish"] = "exploration.epsilonFloorFinish",
        ["floorStart"] = "exploration.epsilonFloorStart",
        ["gradientClip"] = "maxGradientNorm",
        ["hypernetEmbed"] = "mixer.hypernetEmbed",
        ["importanceNormalise"] = "importanceNormalize",
        ["infer"] = "inferPolicies",
        ["inferenceEntropy"] = "inferenceEntropyCoefficient",
        ["leniencyAnneal"] = "leniency.anneal",
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

    /// <summary>Creates the error of an unknown option. It names the option that <paramref name="name"/> was renamed to, or a similar one.</summary>
    /// <param name="name">The unknown name, dotted or short.</param>
    /// <param name="names">The names of all options.</param>
    /// <param name="list">The command that lists them.</param>
    public static UsageException Unknown(string name, IEnumerable<string> names, string list)
        => !Names.TryGetValue(name[(name.LastIndexOf('.') + 1)..], out string? renamed) ? UsageException.Unknown("option", name, names, list)
            : names.Contains(renamed) ? new UsageException($"option '{name}' was renamed; use '{renamed}'")
            : new UsageException($"option '{name}' was renamed to '{renamed}', which this configuration does not have; see {list}");
}

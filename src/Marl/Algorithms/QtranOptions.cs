using System.ComponentModel;

namespace Marl.Native.Rl;

/// <summary>QTRAN-base: one joint value, and an inequality for joint actions that are not the greedy one.</summary>
[Description("factorization by transformation, QTRAN-base (Son et al. 2019)")]
public record QtranOptions : ValueOptions
{
    /// <summary>Agents of 64 units.</summary>
    public QtranOptions() => Hidden = 64;

    /// <summary>What QTRAN-base's joint action-value network reads: qtranPaper or comaCritic.</summary>
    public QtranArchitecture Architecture { get; init; }

    /// <summary>Width of the joint networks.</summary>
    public int MixingEmbed { get; init; } = 64;

    /// <summary>Hidden layers of the joint action-value network: 2 (PyMARL's "small") or 3 (its "big"). The state value's network has as many, QTRAN-alt's one
    /// less.</summary>
    public int JointLayers { get; init; } = 2;

    /// <summary>lambda_opt, what it counts that the agents' values fall short of the joint value, or exceed it, where they are greatest.</summary>
    public float LambdaOpt { get; init; } = 1f;

    /// <summary>lambda_nopt, what it counts elsewhere.</summary>
    public float LambdaNopt { get; init; } = 0.1f;

    internal virtual bool IsAlternative => false;

    /// <inheritdoc/>
    public override Objective Create(LearningContext context) => new Qtran(this, context);

    /// <inheritdoc/>
    public override void Validate()
    {
        base.Validate();
        UsageException.RequireWidth(MixingEmbed);
        UsageException.Require(JointLayers is 2 or 3, JointLayers, "2 or 3");
        UsageException.Require(LambdaOpt >= 0, LambdaOpt, "at least 0");
        UsageException.Require(LambdaNopt >= 0, LambdaNopt, "at least 0");
    }
}

/// <summary>QTRAN-alt: counterfactual joint values, and an equality for the best that each agent could have done.</summary>
[Description("the same with counterfactual joint values, QTRAN-alt (Son et al. 2019)")]
public sealed record QtranAltOptions : QtranOptions
{
    internal override bool IsAlternative => true;
}

/// <summary>What QTRAN-base's joint action-value network reads besides the state.</summary>
[System.Text.Json.Serialization.JsonConverter(typeof(CamelCaseEnumConverter<QtranArchitecture>))]
public enum QtranArchitecture
{
    /// <summary>The sum over agents of an encoding of their features and actions.</summary>
    QtranPaper,
    /// <summary>All actions.</summary>
    ComaCritic,
}

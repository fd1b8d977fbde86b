using System.ComponentModel;

namespace Marl.Native.Rl;

/// <summary>QTRAN-base (Son et al. 2019): learns an unrestricted joint value, and agents' values whose greedy actions maximize it.</summary>
[Description("value factorization by transformation, QTRAN-base (Son et al. 2019)")]
public record QtranOptions : ValueOptions
{
    /// <summary>Initializes the defaults: 64 hidden units.</summary>
    public QtranOptions() => Hidden = 64;

    /// <summary>Input of QTRAN-base's joint action-value network beside the state. qtranPaper: the sum over agents of an encoding of features and action;
    /// comaCritic: all actions.</summary>
    public QtranArchitecture Architecture { get; init; }

    /// <summary>Units of each hidden layer of the joint networks, 1 to 8192.</summary>
    public int MixingEmbed { get; init; } = 64;

    /// <summary>Hidden layers of the joint action-value network: 2 ("small" in PyMARL) or 3 ("big"). The state-value network has as many, that of QTRAN-alt one
    /// less.</summary>
    public int JointLayers { get; init; } = 2;

    /// <summary>lambda_opt, coefficient of the loss that makes the agents' values match the joint value at the greedy joint action.</summary>
    public float LambdaOpt { get; init; } = 1f;

    /// <summary>lambda_nopt, coefficient of the loss that bounds the agents' values at other joint actions.</summary>
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

/// <summary>QTRAN-alt (Son et al. 2019): QTRAN with counterfactual joint values, and a condition on each agent's best alternative action.</summary>
[Description("QTRAN with counterfactual joint values, QTRAN-alt (Son et al. 2019)")]
public sealed record QtranAltOptions : QtranOptions
{
    internal override bool IsAlternative => true;
}

/// <summary>The input of QTRAN-base's joint action-value network beside the state.</summary>
[System.Text.Json.Serialization.JsonConverter(typeof(CamelCaseEnumConverter<QtranArchitecture>))]
public enum QtranArchitecture
{
    /// <summary>The sum over agents of an encoding of their features and actions.</summary>
    QtranPaper,
    /// <summary>All actions.</summary>
    ComaCritic,
}

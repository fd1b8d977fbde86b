using System.Diagnostics.CodeAnalysis;

namespace Marl.Native.Rl;

/// <summary>An algorithm of the <see cref="Catalog"/>: the name and the description of a record of options.</summary>
public sealed class Algorithm
{
    internal Algorithm([DynamicallyAccessedMembers(DynamicallyAccessedMemberTypes.PublicParameterlessConstructor)] Type options)
        => (Options, Name, Description) = (options, Parts.NameOf(options, nameof(Options)), Parts.DescriptionOf(options));

    /// <summary>The name on the command line: the record's name without "Options", in lower case with hyphens.</summary>
    public string Name { get; }

    /// <summary>The record's <see cref="System.ComponentModel.DescriptionAttribute"/>.</summary>
    public string Description { get; }

    /// <summary>The type of the record of options.</summary>
    [DynamicallyAccessedMembers(DynamicallyAccessedMemberTypes.PublicParameterlessConstructor)]
    public Type Options { get; }

    /// <summary>Creates a record with its own defaults, without presets.</summary>
    public AlgorithmOptions CreateOptions() => (AlgorithmOptions)Activator.CreateInstance(Options)!;
}

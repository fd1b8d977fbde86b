using System.Text.Json.Serialization;
using Marl.Native.Nn;

namespace Marl.Native.Rl;

/// <summary>A mixer as a part of options. Derive a record from it to bring your own: its properties are the mixer's sizes.</summary>
[JsonPolymorphic(TypeDiscriminatorPropertyName = Parts.Discriminator)]
[JsonDerivedType(typeof(NoMixer), "none")]
[JsonDerivedType(typeof(VdnMixer), "vdn")]
[JsonDerivedType(typeof(QmixMixer), "qmix")]
[JsonDerivedType(typeof(QplexMixer), "qplex")]
public abstract record MixerOptions
{
    /// <summary>Whether it learns one value for all agents, which needs a common reward.</summary>
    public virtual bool IsJoint => true;

    /// <summary>The mixer; adds its parameters to <paramref name="layout"/>.</summary>
    public abstract IMixer Create(ParameterLayout layout, EnvironmentSpec spec);

    /// <summary>Refuses values out of range.</summary>
    /// <exception cref="UsageException">Names the option and its range.</exception>
    public virtual void Validate()
    {
    }
}

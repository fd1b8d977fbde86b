using System.ComponentModel;
using Marl.Native.Nn;
using Marl.Native.Rl;

namespace Marl.Native.Tests.Samples;

/// <summary>Parts of a program's own, used without loading anything.</summary>
public sealed class OwnPartsTests : IDisposable
{
    private readonly TemporaryFolder folder = new();

    [Fact]
    public void APolicyOfAProgramsOwnNetworkIsSavedAndLoaded()
    {
        var options = new IqlOptions { Agent = new WideNetwork { Width = 5 }, Hidden = 8 };
        var (policy, _) = Trainer.Train(options, () => new TwoStepGame(), new() { Steps = 100 });
        policy.Save(folder["policy.safetensors"]);
        var loaded = Policy.Load(folder["policy.safetensors"]);
        Assert.Equal(new WideNetwork { Width = 5 }, loaded.Description.Network.Network);
        var (rng, other) = (new Rng(1), new Rng(1));
        Assert.Equal(policy.Play(new TwoStepGame(), ref rng).Return, loaded.Play(new TwoStepGame(), ref other).Return);
    }

    [Fact]
    public void TwoNetworksOfOneNameAreRefused()
    {
        var options = new IqlOptions { Agent = new OtherNetwork() };
        var error = Assert.Throws<UsageException>(() => { Trainer.Train(options, () => new TwoStepGame(), new() { Steps = 100 }); });
        Assert.Contains("Marl.Native.Rl.GruNetwork have the same name 'gru'; set another name with [DisplayName(\"..\")]", error.Message, StringComparison.Ordinal);
    }

    public void Dispose() => folder.Dispose();

    internal sealed record WideNetwork : NetworkOptions
    {
        public int Width { get; init; } = 3;

        public override INetwork Create(ParameterLayout layout, int inputs, int hidden, int groups) => new MlpNetwork().Create(layout, inputs, hidden * Width, groups);
    }

    [DisplayName("gru")]
    internal sealed record OtherNetwork : NetworkOptions
    {
        public override INetwork Create(ParameterLayout layout, int inputs, int hidden, int groups) => new GruNetwork().Create(layout, inputs, hidden, groups);
    }
}

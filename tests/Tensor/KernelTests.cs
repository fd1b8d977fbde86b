namespace Marl.Native.Tests;

/// <summary>What holds for all primitives alike.</summary>
public sealed class KernelTests
{
    /// <summary>The results of every primitive, hashed once with AVX-512. Run the suite with DOTNET_EnableAVX512=0, with
    /// DOTNET_EnableAVX2=0 and on other processors: it must be the same number everywhere.</summary>
    private const ulong Fingerprint = 13003705038072817765;

    [Fact]
    public void SameBitsWhateverTheWidth() => Assert.Equal(Fingerprint, new KernelFingerprint(Device.Cpu).Hash());

    [Fact]
    public void NoPrimitiveAllocates()
    {
        var fingerprint = new KernelFingerprint(Device.Cpu);
        foreach (var (name, call) in fingerprint.Calls)
        {
            call();
            call();
            long before = GC.GetAllocatedBytesForCurrentThread();
            call();
            Assert.True(GC.GetAllocatedBytesForCurrentThread() == before, name);
        }
    }
}

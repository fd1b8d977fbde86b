namespace Marl.Native.Gpu;

/// <summary>What went between a device and this process so far, and how much memory was asked for.</summary>
/// <param name="Uploads">transfers to the device.</param>
/// <param name="Uploaded">numbers in them.</param>
/// <param name="Downloads">transfers from the device; each waits for it.</param>
/// <param name="Synchronisations">how often this process waited for the device.</param>
/// <param name="Allocations">blocks of memory asked for.</param>
/// <param name="Launches">kernels.</param>
internal readonly record struct Traffic(long Uploads, long Uploaded, long Downloads, long Synchronisations, long Allocations, long Launches)
{
    /// <summary>What was added since <paramref name="before"/>.</summary>
    public Traffic Since(Traffic before)
        => new(Uploads - before.Uploads, Uploaded - before.Uploaded, Downloads - before.Downloads, Synchronisations - before.Synchronisations,
            Allocations - before.Allocations, Launches - before.Launches);
}

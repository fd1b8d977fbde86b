namespace Marl.Native.Gpu;

/// <summary>Counters of a device: transfers, synchronizations, allocations and launches.</summary>
/// <param name="Uploads">Transfers to the device.</param>
/// <param name="UploadedElements">Elements in these transfers.</param>
/// <param name="Downloads">Transfers from the device, each of which synchronizes.</param>
/// <param name="DownloadedElements">Elements in these transfers.</param>
/// <param name="Synchronizations">Times that the host waited for the device.</param>
/// <param name="Allocations">Allocations of memory.</param>
/// <param name="Launches">Kernel launches.</param>
internal readonly record struct TransferCounters(long Uploads, long UploadedElements, long Downloads, long DownloadedElements,
    long Synchronizations, long Allocations, long Launches)
{
    /// <summary>The difference to earlier counters.</summary>
    public TransferCounters Since(TransferCounters before)
        => new(Uploads - before.Uploads, UploadedElements - before.UploadedElements, Downloads - before.Downloads,
            DownloadedElements - before.DownloadedElements, Synchronizations - before.Synchronizations, Allocations - before.Allocations, Launches - before.Launches);
}

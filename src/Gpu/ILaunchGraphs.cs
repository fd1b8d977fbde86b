namespace Marl.Native.Gpu;

/// <summary>Captures the launches on a stream, to submit them at once.</summary>
internal interface ILaunchGraphs : IDisposable
{
    /// <summary>
    /// Begins a capture. Operations that cannot be captured (allocation, transfers to the host, synchronization) are not allowed until it ends.
    /// </summary>
    void Begin();

    /// <summary>Ends the capture and submits the captured launches, in their order.</summary>
    void Launch();

    /// <summary>Discards the capture after a failure of the device.</summary>
    void Abandon();
}

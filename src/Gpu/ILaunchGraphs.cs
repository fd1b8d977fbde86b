namespace Marl.Native.Gpu;

/// <summary>Launches sequences of kernels as graphs. A graph is made once per shape (kernels, grids and addresses) and replayed.</summary>
internal interface ILaunchGraphs : IDisposable
{
    /// <summary>Launches the graph of a shape if it has these arguments.</summary>
    /// <param name="shape">A hash of the kernels, grids and addresses.</param>
    /// <param name="arguments">A hash of all arguments.</param>
    /// <returns>Whether there was one.</returns>
    bool TryReplay(ulong shape, ulong arguments);

    /// <summary>
    /// Begins a capture. Operations that cannot be captured (allocation, transfers to the host, synchronization) are not allowed until it ends.
    /// </summary>
    void Begin();

    /// <summary>Ends the capture, and launches it as the graph of its shape.</summary>
    void Launch(ulong shape, ulong arguments);

    /// <summary>Discards the capture after a failure of the device.</summary>
    void Abandon();

    /// <summary>Discards all graphs.</summary>
    void Clear();
}

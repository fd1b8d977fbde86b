namespace Marl.Native.Gpu;

/// <summary>Collects what is launched on a stream, to begin with all of it at once.</summary>
internal interface ILaunchGraphs : IDisposable
{
    /// <summary>From now on nothing is begun. What cannot be collected (memory, reading, waiting) must not be asked for.</summary>
    void Begin();

    /// <summary>What was collected is begun, in the order in which it was launched.</summary>
    void Launch();

    /// <summary>What was collected is forgotten: the device failed.</summary>
    void Abandon();
}

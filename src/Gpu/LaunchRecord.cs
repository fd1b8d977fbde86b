namespace Marl.Native.Gpu;

/// <summary>A launch of a kernel, or a copy on the device.</summary>
/// <param name="Kernel">The kernel with its arguments, or a <see cref="DeviceCopy"/>.</param>
/// <param name="Groups">The number of groups.</param>
/// <param name="Threads">The number of threads per group.</param>
internal sealed record LaunchRecord(object Kernel, int Groups, int Threads);

/// <summary>A copy on the device, without a kernel.</summary>
/// <param name="Count">The number of elements.</param>
internal readonly record struct DeviceCopy(int Count);

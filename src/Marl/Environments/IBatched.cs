namespace Marl.Native.Rl;

/// <summary>An environment that can be stepped many at once.</summary>
internal interface IBatched
{
    /// <summary>Creates a number of worlds like this environment in the memory of a device.</summary>
    /// <param name="count">The number of worlds.</param>
    /// <param name="device">The device.</param>
    /// <param name="additional">The number of elements after those of the worlds in their memory, for the caller.</param>
    Worlds CreateWorlds(int count, Device device, int additional = 0);
}

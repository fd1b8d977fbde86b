namespace Marl.Native.Rl;

/// <summary>An environment that can be stepped many at once.</summary>
internal interface IBatched
{
    /// <summary>Creates a number of worlds like this environment in the memory of a device.</summary>
    Worlds CreateWorlds(int count, Device device);
}

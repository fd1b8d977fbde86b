namespace Marl.Native.Tests.Gpu;

/// <summary>How closely a device must agree with the CPU.</summary>
internal static class Agreement
{
    /// <summary>An exact device: to the last bit. Others, or where sums have another order: within so many ulp of the largest number at hand, for sums of numbers that cancel.</summary>
    public static void Assert(string device, float[] cpu, float[] gpu, string what, int ulp = 32, bool sameOrder = true)
    {
        if (device == Devices.Emulated || sameOrder && Devices.IsExact(device))
        {
            Noise.AssertSameBits(cpu, gpu, what);
            return;
        }
        float largest = cpu.Where(float.IsFinite).Select(Math.Abs).DefaultIfEmpty(1f).Max(), tolerance = ulp * (MathF.BitIncrement(largest) - largest);
        Xunit.Assert.Equal(cpu.Length, gpu.Length);
        for (int i = 0; i < cpu.Length; i++)
        {
            bool close = Noise.SameBits(cpu[i], gpu[i]) || cpu[i] == gpu[i] || Math.Abs(cpu[i] - gpu[i]) <= tolerance;
            Xunit.Assert.True(close, close ? null : $"{what} on {device}: element {i} of {cpu.Length} is {gpu[i]:R}, on the CPU {cpu[i]:R}");
        }
    }
}

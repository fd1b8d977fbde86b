using Marl.Native.Nn;

namespace Marl.Native.Tests;

public sealed class ScheduleTests
{
    [Fact]
    public void Constant()
    {
        Schedule schedule = 0.5f;
        Assert.Equal([0.5f, 0.5f, 0.5f, 0.5f], At(schedule, -1, 0, 1, long.MaxValue));
        Assert.Equal("0.5", schedule.ToString());
        Assert.Equal(0f, default(Schedule).At(7));
    }

    [Fact]
    public void Linear()
    {
        var schedule = Schedule.Linear(1f, 0.05f, 50_000);
        Assert.Equal([1f, 1f, 0.525f, 0.05f, 0.05f], At(schedule, -1, 0, 25_000, 50_000, long.MaxValue));
        Assert.Equal("1 to 0.05 over 50000 steps", schedule.ToString());
        Assert.Equal(0.05f, Schedule.Linear(1f, 0.05f, 0).At(0));
        Assert.Throws<ArgumentOutOfRangeException>(() => Schedule.Linear(1f, 0f, -1));
    }

    [Fact]
    public void Exponential()
    {
        var schedule = Schedule.Exponential(1f, 0.01f, 10);
        Assert.Equal([1f, 0.1f, 0.01f, 0.01f], At(schedule, 0, 5, 10, 11));
        Assert.Equal("1 to 0.01 over 10 steps, exponentially", schedule.ToString());
        Assert.Throws<ArgumentOutOfRangeException>(() => Schedule.Exponential(1f, 0f, 10));
    }

    private static float[] At(Schedule schedule, params long[] steps) => [.. steps.Select(schedule.At)];
}

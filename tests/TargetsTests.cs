using Marl.Native.Rl;

namespace Marl.Native.Tests;

/// <summary>Targets on episodes short enough to be computed by hand: gamma 1/2, rewards 1, 2, 4, values 8, 16, 32 of the next rows.</summary>
public sealed class TargetsTests
{
    private static readonly Tensor RewardT = Column(1f, 2f, 4f), ValueT = Column(0f, 8f, 16f), VNext = Column(8f, 16f, 32f);

    [Fact]
    public void OneStep() => Expect(Scalars(s => Targets.Lambda(s.Tape, s.Steps, VNext, 0f)), 1 + 4, 2 + 8, 4 + 16);

    [Fact]
    public void TwoSteps() => Expect(Scalars(s => Targets.NStep(s.Tape, s.Steps, VNext, 2)), 1 + 0.5f * (2 + 8), 2 + 0.5f * (4 + 16), 4 + 16);

    [Fact]
    public void MoreStepsThanThereAre() => Expect(Scalars(s => Targets.NStep(s.Tape, s.Steps, VNext, 9)), 7, 12, 20);

    [Fact]
    public void LambdaOneIsAllSteps() => Expect(Scalars(s => Targets.Lambda(s.Tape, s.Steps, VNext, 1f)), 7, 12, 20);

    [Fact]
    public void HalfOfEach() => Expect(Scalars(s => Targets.Lambda(s.Tape, s.Steps, VNext, 0.5f)), 1 + 0.25f * (8 + 11), 2 + 0.25f * (16 + 20), 20);

    [Fact]
    public void MonteCarloDoesNotBootstrap() => Expect(Scalars(s => Targets.MonteCarlo(s.Tape, s.Steps)), 1 + 0.5f * 4, 2 + 0.5f * 4, 4);

    [Fact]
    public void AdvantageIsTheReturnLessTheValue() => Expect(Scalars(s => Targets.Gae(s.Tape, s.Steps, ValueT, VNext, 1f)), 7 - 0, 12 - 8, 20 - 16);

    [Fact]
    public void OnPolicyVTraceIsTheReturn() => Expect(Scalars(s => Targets.VTrace(s.Tape, s.Steps, ValueT, VNext, Column(1f, 1f, 1f))), 7, 12, 20);

    [Fact]
    public void ACutTraceIsOneStep()
        => Expect(Scalars(s => Targets.Backup(s.Tape, s.Steps, VNext, VNext, 1f, Column(9f, 0f, 0f), ceiling: 1f)), 1 + 0.5f * (2 + 8), 10, 20);

    [Fact]
    public void NothingIsWorthAnythingBehindATermination()
        => Expect(Scalars(s => Targets.Lambda(s.Tape, s.Steps, VNext, 1f), terminated: Column(0f, 1f, 0f)), 1 + 0.5f * 2, 2, 20);

    [Fact]
    public void ATruncationBootstrapsAndLooksNoFurther()
        => Expect(Scalars(s => Targets.Lambda(s.Tape, s.Steps, VNext, 1f), truncated: Column(0f, 1f, 0f)), 1 + 0.5f * (2 + 8), 2 + 8, 20);

    [Fact]
    public void PaddingIsZeroAndThereIsAValueBeforeIt()
    {
        Expect(Scalars(s => Targets.Lambda(s.Tape, s.Steps, VNext, 1f), mask: Column(1f, 1f, 0f)), 1 + 0.5f * (2 + 8), 2 + 8, 0);
        Expect(Scalars(s => Targets.NStep(s.Tape, s.Steps, VNext, 3), mask: Column(1f, 1f, 0f)), 1 + 0.5f * (2 + 8), 2 + 8, 0);
        Expect(Scalars(s => Targets.Gae(s.Tape, s.Steps, ValueT, VNext, 1f), mask: Column(1f, 0f, 0f)), 5, 0, 0);
        Expect(Scalars(s => Targets.VTrace(s.Tape, s.Steps, ValueT, VNext, Column(1f, 1f, 1f)), mask: Column(1f, 0f, 0f)), 5, 0, 0);
    }

    [Fact]
    public void CommonRewardsMeetOwnValues()
    {
        var tape = new Tape();
        using (tape.Step())
        {
            var steps = Transitions.Of(tape, Tensor.Of([1f, 2f], 2, 1, 1), Tensor.Zeros(2, 1, 1), 0.5f);
            var returns = Targets.Lambda(tape, steps, Tensor.Of([8f, 80f, 16f, 160f], 2, 1, 2), 1f);
            Assert.Equal([1 + 0.5f * 10, 1 + 0.5f * 82, 10, 82], returns.ToArray());
        }
    }

    [Fact]
    public void TheyAllocateNothing()
    {
        var (tape, terminated, ratio) = (new Tape(), Column(0f, 0f, 1f), Column(1f, 1f, 1f));
        long before = 0;
        for (int step = 0; step < 4; step++)
        {
            // The first step finds out how much memory it takes, the second gets it.
            before = step == 2 ? GC.GetAllocatedBytesForCurrentThread() : before;
            using (tape.Step())
            {
                var steps = Transitions.Of(tape, RewardT, terminated, 0.5f);
                Targets.Lambda(tape, steps, VNext, 0.5f);
                Targets.NStep(tape, steps, VNext, 3);
                Targets.Gae(tape, steps, ValueT, VNext, 0.5f);
                Targets.VTrace(tape, steps, ValueT, VNext, ratio);
            }
        }
        Assert.Equal(0, GC.GetAllocatedBytesForCurrentThread() - before);
    }

    private static float[] Scalars(Func<(Tape Tape, Transitions Steps), Tensor> target, Tensor terminated = default, Tensor mask = default,
        Tensor truncated = default)
    {
        var tape = new Tape();
        using (tape.Step())
        {
            var ended = terminated.IsNone ? Column(0f, 0f, 0f) : terminated;
            return target((tape, Transitions.Of(tape, RewardT, ended, 0.5f, mask, truncated))).ToArray();
        }
    }

    private static void Expect(float[] got, params float[] expected) => Assert.Equal(expected, got);

    private static Tensor Column(params float[] values) => Tensor.Of(values, values.Length, 1, 1);
}

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
    public void NoStepsAreRefused()
    {
        Assert.Throws<ArgumentOutOfRangeException>(() => Scalars(s => Targets.NStep(s.Tape, s.Steps, VNext, 0)));
        Assert.Throws<ArgumentOutOfRangeException>(() => Scalars(s => Targets.NStepTrace(s.Tape, s.Steps, ValueT, 0)));
    }

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
    public void ATraceIsWhatEachRewardCountsInAWeightedSumOfReturns()
    {
        // The sum is linear in the rewards: the difference that one more of a reward makes is its trace. Four rows: the first episode terminates at the second,
        // the other is one of three and padding.
        var (tape, rng) = (new Tape(), new Rng(3));
        var (reward, weight, vNext) = (Draw(), Draw(), Draw());
        var (terminated, truncated, mask) = (Rows([0, 1, 0, 0], [0, 0, 0, 0]), Rows([0, 0, 0, 0], [1, 0, 0, 0]), Rows([1, 1, 1, 1], [1, 1, 1, 0]));
        Check((s, e) => e ? Targets.LambdaTrace(tape, s, weight, 0.7f) : Targets.Lambda(tape, s, vNext, 0.7f));
        foreach (int n in (int[])[1, 2, 3, 9])
        {
            Check((s, e) => e ? Targets.NStepTrace(tape, s, weight, n) : Targets.NStep(tape, s, vNext, n));
        }

        void Check(Func<Transitions, bool, Tensor> of)
        {
            float[] trace = Of(true);
            double before = Sum();
            for (int i = 0; i < reward.Count; i++)
            {
                reward.Span[i]++;
                Assert.Equal(Sum() - before, trace[i], 1e-5);
                reward.Span[i]--;
            }

            double Sum() => Of(false).Zip(weight.ToArray(), (g, w) => (double)g * w).Sum();

            float[] Of(bool traces)
            {
                using (tape.Step())
                {
                    return of(Transitions.Of(tape, reward, terminated, 0.9f, mask, truncated), traces).ToArray();
                }
            }
        }

        Tensor Draw()
        {
            var x = Tensor.Zeros(4, 2, 3);
            foreach (ref float element in x.Span)
            {
                element = 2f * rng.NextSingle() - 1f;
            }
            return x;
        }

        static Tensor Rows(float[] first, float[] second) => Tensor.Of([.. first.Zip(second).SelectMany(pair => new[] { pair.First, pair.Second })], 4, 2, 1);
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
                Targets.LambdaTrace(tape, steps, ratio, 0.5f);
                Targets.NStepTrace(tape, steps, ratio, 3);
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

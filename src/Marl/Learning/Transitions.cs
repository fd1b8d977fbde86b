namespace Marl.Native.Rl;

/// <summary>
/// What experience says about returns, once for all targets of <see cref="Targets"/>: rewards, discounts, and where episodes end. Rows that
/// are not transitions (padding) have reward 0 and discount 0, and so every target of theirs is 0.
/// </summary>
public readonly struct Transitions
{
    private Transitions(Tensor rewardT, Tensor discountT, Tensor continueT, Tensor maskT)
        => (RewardT, DiscountT, ContinueT, MaskT) = (rewardT, discountT, continueT, maskT);

    /// <summary>r_t, [T, B, 1] (common) or [T, B, N] (individual); 0 outside of the mask.</summary>
    public Tensor RewardT { get; }

    /// <summary>g_t = gamma (1 - terminated_t), [T, B, 1]: what the value of the next state is worth; 0 outside of the mask.</summary>
    public Tensor DiscountT { get; }

    /// <summary>k_t, [T, B, 1]: 1 where transition t + 1 belongs to the same episode, 0 where t is the last; a target reaches no further, and
    /// bootstraps from v_{t+1} there, unless the episode terminated (g_t = 0).</summary>
    public Tensor ContinueT { get; }

    /// <summary>[T, B, 1]: 1 for transitions, 0 for padding.</summary>
    public Tensor MaskT { get; }

    /// <summary>Transitions with the discount g_t = gamma (1 - terminated_t).</summary>
    /// <param name="tape">memory.</param>
    /// <param name="rewardT">[T, B, 1] or [T, B, N].</param>
    /// <param name="terminatedT">[T, B, 1]: 1 where the episode ended for good.</param>
    /// <param name="gamma">in [0, 1].</param>
    /// <param name="maskT">[T, B, 1]: 1 for the transitions of an episode, then 0; none: all are.</param>
    /// <param name="truncatedT">[T, B, 1]: 1 where an episode was cut and row t + 1 is another; none: only where the mask says so.</param>
    public static Transitions Of(Tape tape, Tensor rewardT, Tensor terminatedT, float gamma, Tensor maskT = default, Tensor truncatedT = default)
    {
        var discountT = tape.Scratch(terminatedT.Shape);
        tape.Device.Map(new Affine(-gamma, gamma), terminatedT, discountT);
        return Of(tape, rewardT, discountT, maskT, truncatedT);
    }

    /// <summary>The same with given discounts g_t, [T, B, 1].</summary>
    public static Transitions Of(Tape tape, Tensor rewardT, Tensor discountT, Tensor maskT = default, Tensor truncatedT = default)
    {
        var mask = maskT.IsNone ? Full(tape, discountT.Shape, 1f) : maskT;
        var (r, g, k) = (tape.Scratch(rewardT.Shape), tape.Scratch(discountT.Shape), tape.Scratch(mask.Shape));
        tape.Device.Zip(default(Multiply), rewardT, mask, r);
        tape.Device.Zip(default(Multiply), discountT, mask, g);
        Shift(tape, mask, k);
        if (!truncatedT.IsNone)
        {
            // k = k (1 - truncated)
            var goesOn = tape.Scratch(truncatedT.Shape);
            tape.Device.Map(new Affine(-1f, 1f), truncatedT, goesOn);
            tape.Device.Zip(default(Multiply), k, goesOn, k);
        }
        return new(r, g, k, mask);
    }

    /// <summary>The same transitions with something earned besides: r_t + b_t, b [T, B, N].</summary>
    public Transitions Plus(Tape tape, Tensor bonusT)
    {
        var r = tape.Scratch(Shape.Broadcast(RewardT.Shape, bonusT.Shape));
        using (tape.NoGrad())
        {
            ((tape.Constant(RewardT) + bonusT) * MaskT).Value.CopyTo(r);
        }
        return new(r, DiscountT, ContinueT, MaskT);
    }

    /// <summary>y[t] = x[t+1], and 0 at the last t.</summary>
    internal static void Shift(Tape tape, Tensor x, Tensor y)
    {
        int last = x.Shape[0] - 1;
        tape.Device.Copy(x.Slice(1, last), y.Slice(0, last));
        tape.Device.Fill(y[last], 0f);
    }

    /// <summary>r, g and k as the equations read them.</summary>
    internal (Var R, Var G, Var K) On(Tape tape) => (tape.Constant(RewardT), tape.Constant(DiscountT), tape.Constant(ContinueT));

    private static Tensor Full(Tape tape, Shape shape, float value)
    {
        var full = tape.Scratch(shape);
        tape.Device.Fill(full, value);
        return full;
    }
}

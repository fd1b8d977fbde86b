namespace Marl.Native.Rl;

/// <summary>
/// Rewards, discounts and episode ends, the arguments of the estimators in <see cref="Targets"/>. Padding has reward 0 and discount 0, so its targets are 0.
/// </summary>
public readonly struct Transitions
{
    private Transitions(Tensor rewardT, Tensor discountT, Tensor continueT, Tensor maskT)
        => (RewardT, DiscountT, ContinueT, MaskT) = (rewardT, discountT, continueT, maskT);

    /// <summary>Rewards r_t, [T, B, 1] (common) or [T, B, N] (individual); 0 where the mask is 0.</summary>
    public Tensor RewardT { get; }

    /// <summary>Discounts g_t = gamma (1 - terminated_t) of the next state's value, [T, B, 1]; 0 where the mask is 0.</summary>
    public Tensor DiscountT { get; }

    /// <summary>k_t [T, B, 1]: 1 if transition t + 1 belongs to the same episode, 0 if t is the last. Returns do not extend beyond it; they bootstrap from
    /// v_{t+1}, unless the episode terminated (g_t = 0).</summary>
    public Tensor ContinueT { get; }

    /// <summary>Mask [T, B, 1]: 1 for transitions, 0 for padding.</summary>
    public Tensor MaskT { get; }

    /// <summary>Creates transitions with the discount g_t = gamma (1 - terminated_t).</summary>
    /// <param name="tape">Allocates the tensors.</param>
    /// <param name="rewardT">Rewards, [T, B, 1] or [T, B, N].</param>
    /// <param name="terminatedT">[T, B, 1]: 1 where the episode terminated.</param>
    /// <param name="gamma">The discount factor, in [0, 1].</param>
    /// <param name="maskT">[T, B, 1]: 1 for the transitions of an episode, then 0; <c>default</c>: all are transitions.</param>
    /// <param name="truncatedT">[T, B, 1]: 1 where an episode was truncated and row t + 1 belongs to another; <c>default</c>: episodes end with the
    /// mask.</param>
    public static Transitions Of(Tape tape, Tensor rewardT, Tensor terminatedT, float gamma, Tensor maskT = default, Tensor truncatedT = default)
    {
        var discountT = tape.Scratch(terminatedT.Shape);
        tape.Device.Map(new Affine(-gamma, gamma), terminatedT, discountT);
        return Of(tape, rewardT, discountT, maskT, truncatedT);
    }

    /// <summary>Creates transitions with given discounts g_t [T, B, 1].</summary>
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
            var continues = tape.Scratch(truncatedT.Shape);
            tape.Device.Map(new Affine(-1f, 1f), truncatedT, continues);
            tape.Device.Zip(default(Multiply), k, continues, k);
        }
        return new(r, g, k, mask);
    }

    /// <summary>Returns these transitions with the reward r_t + b_t, b [T, B, N].</summary>
    public Transitions WithBonus(Tape tape, Tensor bonusT)
    {
        var r = tape.Scratch(Shape.Broadcast(RewardT.Shape, bonusT.Shape));
        using (tape.NoGrad())
        {
            ((tape.Constant(RewardT) + bonusT) * MaskT).Value.CopyTo(r);
        }
        return new(r, DiscountT, ContinueT, MaskT);
    }

    /// <summary>Computes y[t] = x[t + 1], and 0 at the last t.</summary>
    internal static void Shift(Tape tape, Tensor x, Tensor y)
    {
        int last = x.Shape[0] - 1;
        tape.Device.Copy(x.Slice(1, last), y.Slice(0, last));
        tape.Device.Fill(y[last], 0f);
    }

    /// <summary>Returns r, g and k as constants on a tape.</summary>
    internal (Var R, Var G, Var K) ToVars(Tape tape) => (tape.Constant(RewardT), tape.Constant(DiscountT), tape.Constant(ContinueT));

    private static Tensor Full(Tape tape, Shape shape, float value)
    {
        var full = tape.Scratch(shape);
        tape.Device.Fill(full, value);
        return full;
    }
}

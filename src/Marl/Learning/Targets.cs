namespace Marl.Native.Rl;

/// <summary>
/// What is learned towards, as functions from tensors to tensors: no gradient can flow through them. Time-major, [T, B, ..]; r, g, k and the mask
/// are those of <see cref="Transitions"/>, and row t of an argument called ..Next belongs to time t + 1 (of values [T+1, ..]: Slice(1, T)). All are
/// one recursion, read from the last transition of an episode to its first:
/// <code>
/// G_t = r_t + g_t (v_{t+1} + k_t c_{t+1} (G_{t+1} - q_{t+1}))
///
/// TD(lambda)            c = lambda              q = v      Sutton and Barto 2018, section 12.1
/// Monte Carlo           c = 1                   q = v = 0  section 5.1
/// GAE                   TD(lambda) less v_t                Schulman et al. 2016
/// Retrace               c = lambda min(1, rho)  q = q(a)   Munos et al. 2016
/// tree backup           c = lambda pi(a)        q = q(a)   Precup et al. 2000
/// importance sampling   c = rho                 q = q(a)   Precup et al. 2000
/// Q(lambda)             c = lambda              q = q(a)   Harutyunyan et al. 2016
/// Q(lambda), Peng       c = lambda              q = v = max q              Peng and Williams 1996
/// Q(lambda), Watkins    c = lambda [a greedy]   q = v = max q              Watkins 1989
/// </code>
/// where v is the expected or greatest q, and rho = pi(a) / mu(a) of the action taken. n-step returns are the first n applications of it, V-trace
/// is it with corrected rewards. Results live until the surrounding scope of the tape ends.
/// </summary>
public static class Targets
{
    /// <summary>TD(lambda), G_t = r_t + g_t ((1 - lambda) v_{t+1} + lambda G_{t+1}); lambda 0 is one step, 1 is Monte Carlo with a bootstrap
    /// where an episode was cut. Peng's Q(lambda) with v = max q; Watkins' with a 0 in <paramref name="greedyNext"/> where a_{t+1} was not greedy.</summary>
    /// <param name="tape">memory.</param>
    /// <param name="steps">r, g, k, [T, B, 1] or [T, B, N].</param>
    /// <param name="vNext">[T, B, N] or [T, B, 1]: v_{t+1}.</param>
    /// <param name="lambda">in [0, 1].</param>
    /// <param name="greedyNext">factor of lambda at t + 1; none: 1.</param>
    /// <returns>[T, B, N]; 0 outside of the mask.</returns>
    public static Tensor Lambda(Tape tape, Transitions steps, Tensor vNext, float lambda, Tensor greedyNext = default)
        => Backup(tape, steps, vNext, vNext, lambda, greedyNext);

    /// <summary>Generalized advantage estimation, A_t = delta_t + g_t lambda A_{t+1} with delta_t = r_t + g_t v_{t+1} - v_t (Schulman et al. 2016,
    /// equation 16): <see cref="Lambda"/> less v_t, the recursion on the differences. The return to fit v to is A_t + v_t.</summary>
    /// <param name="tape">memory.</param>
    /// <param name="steps">r, g, k.</param>
    /// <param name="valueT">v_t.</param>
    /// <param name="vNext">v_{t+1}: of what step t led to, before any reset.</param>
    /// <param name="lambda">in [0, 1].</param>
    /// <returns>[T, B, N]; 0 outside of the mask.</returns>
    public static Tensor Gae(Tape tape, Transitions steps, Tensor valueT, Tensor vNext, float lambda)
    {
        using var detached = tape.NoGrad();
        var (r, g, k) = steps.On(tape);
        var delta = (r + g * tape.Constant(vNext) - valueT) * steps.MaskT;
        return detached.Keep(Solve(tape, delta, g * k * lambda));
    }

    /// <summary>G_t = r_t + g_t r_{t+1} + g_t g_{t+1} r_{t+2} + .. to the end of the episode, without any bootstrap.</summary>
    public static Tensor MonteCarlo(Tape tape, Transitions steps)
    {
        using var detached = tape.NoGrad();
        var (r, g, k) = steps.On(tape);
        return detached.Keep(Solve(tape, r, g * k));
    }

    /// <summary>G_t = r_t + .. + g_t .. g_{t+K-1} v_{t+K}, K = n or what is left of the episode (Sutton and Barto 2018, section 7.1);
    /// <paramref name="n"/> is at least 1.</summary>
    public static Tensor NStep(Tape tape, Transitions steps, Tensor vNext, int n)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(n, 1);
        var shape = Shape.Broadcast(steps.RewardT.Shape, vNext.Shape);
        var (returnT, returnNext) = (tape.Scratch(shape), tape.Scratch(shape));
        Spread(tape, vNext, returnNext);
        for (int step = 0; step < Math.Min(n, shape[0]); step++)
        {
            // One application: what the one before gave for t + 1 takes the place of v_{t+1}, unless the episode ends there.
            using (tape.NoGrad())
            {
                var (r, g, k) = steps.On(tape);
                var v = tape.Constant(vNext);
                (r + g * (v + k * (tape.Constant(returnNext) - v))).Value.CopyTo(returnT);
            }
            Transitions.Shift(tape, returnT, returnNext);
        }
        return returnT;
    }

    /// <summary>
    /// The recursion itself, G_t = r_t + g_t (v_{t+1} + k_t c_{t+1} (G_{t+1} - q_{t+1})) with c = lambda min(<paramref name="ceiling"/>, ratio): Retrace
    /// with ratio rho and ceiling 1, tree backup with ratio pi(a), importance sampling with ratio rho and lambda 1, Q(lambda) without a ratio;
    /// lambda 0 is expected Sarsa or Q-learning (Munos et al. 2016, equation 4 and table 1).
    /// </summary>
    /// <param name="tape">memory.</param>
    /// <param name="steps">r, g, k, [T, B, 1] or [T, B, N].</param>
    /// <param name="vNext">v_{t+1}: sum_a pi(a) q(s_{t+1}, a), or the greatest.</param>
    /// <param name="qNext">q(s_{t+1}, a_{t+1}) of the action taken.</param>
    /// <param name="lambda">scales all traces.</param>
    /// <param name="ratioNext">of a_{t+1}, not negative; none: 1.</param>
    /// <param name="ceiling">cuts ratios.</param>
    /// <returns>targets of q(s_t, a_t); 0 outside of the mask.</returns>
    public static Tensor Backup(Tape tape, Transitions steps, Tensor vNext, Tensor qNext, float lambda, Tensor ratioNext = default,
        float ceiling = float.PositiveInfinity)
    {
        using var detached = tape.NoGrad();
        var (r, g, k) = steps.On(tape);
        var c = Trace(k, lambda, ratioNext, ceiling);
        return detached.Keep(Solve(tape, r + g * (tape.Constant(vNext) - c * qNext), g * c));
    }

    /// <summary>
    /// V-trace (Espeholt et al. 2018, equation 1 and remark 1): with rho'_t = min(rhoBar, rho_t) and c_t = lambda min(cBar, rho_t),
    /// vs_t = v_t + rho'_t (r_t + g_t v_{t+1} - v_t) + g_t c_t (vs_{t+1} - v_{t+1}).
    /// </summary>
    /// <param name="tape">memory.</param>
    /// <param name="steps">r, g, k.</param>
    /// <param name="valueT">v_t.</param>
    /// <param name="vNext">v_{t+1}.</param>
    /// <param name="ratioT">rho_t = pi(a_t) / mu(a_t).</param>
    /// <param name="lambda">scales the traces.</param>
    /// <param name="rhoBar">decides what is converged to: the value of pi when infinite.</param>
    /// <param name="cBar">decides how fast.</param>
    /// <returns>vs_t; 0 outside of the mask.</returns>
    public static Tensor VTrace(Tape tape, Transitions steps, Tensor valueT, Tensor vNext, Tensor ratioT, float lambda = 1f,
        float rhoBar = 1f, float cBar = 1f)
    {
        using var detached = tape.NoGrad();
        var (r, g, k) = steps.On(tape);
        var (v, next, mask) = (tape.Constant(valueT), tape.Constant(vNext), tape.Constant(steps.MaskT));
        var rho = tape.Constant(ratioT).Clamp(0f, rhoBar);
        var c = Trace(k, lambda, ratioT, cBar);
        return detached.Keep(Solve(tape, mask * (v + rho * (r + g * next - v)) - g * c * next, g * c));
    }

    /// <summary>The advantage for V-trace's policy gradient, min(rhoBar, rho_t) (r_t + g_t (v_{t+1} + lambda (vs_{t+1} - v_{t+1})) - v_t)
    /// (Espeholt et al. 2018, section 4.2); <paramref name="vsT"/> is what <see cref="VTrace"/> gave for the same arguments.</summary>
    /// <returns>0 outside of the mask.</returns>
    public static Tensor VTraceAdvantage(Tape tape, Transitions steps, Tensor valueT, Tensor vNext, Tensor vsT, Tensor ratioT,
        float lambda = 1f, float rhoBar = 1f)
    {
        using var detached = tape.NoGrad();
        var vsNext = tape.Scratch(vsT.Shape);
        Transitions.Shift(tape, vsT, vsNext);
        var (r, g, k) = steps.On(tape);
        var (next, mask) = (tape.Constant(vNext), tape.Constant(steps.MaskT));
        var rho = tape.Constant(ratioT).Clamp(0f, rhoBar);
        return detached.Keep(mask * rho * (r + g * (next + k * lambda * (tape.Constant(vsNext) - next)) - valueT));
    }

    /// <summary>How much each reward counts in a weighted sum of <see cref="Lambda"/> returns, sum_t w_t G_t = sum_t e_t r_t + what is no matter of rewards: an
    /// eligibility trace, e_t = w_t + g_{t-1} k_{t-1} lambda e_{t-1} (the forward and the backward view, Sutton and Barto 2018, chapter 12).</summary>
    /// <param name="tape">memory.</param>
    /// <param name="steps">g, k.</param>
    /// <param name="weightT">w_t [T, B, N].</param>
    /// <param name="lambda">in [0, 1].</param>
    /// <returns>e_t [T, B, N]; 0 outside of the mask.</returns>
    public static Tensor LambdaTrace(Tape tape, Transitions steps, Tensor weightT, float lambda)
    {
        var traceT = Masked(tape, steps, weightT);
        for (int t = 1; t < traceT.Shape[0]; t++)
        {
            Carry(tape, steps, traceT[t - 1], lambda, t - 1, traceT[t]);
        }
        return traceT;
    }

    /// <summary>The same of <see cref="NStep"/> returns: e_t = w_t + g_{t-1} w_{t-1} + .., the last n weights of the episode.</summary>
    public static Tensor NStepTrace(Tape tape, Transitions steps, Tensor weightT, int n)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(n, 1);
        var (weight, traceT) = (Masked(tape, steps, weightT), Masked(tape, steps, weightT));
        for (int step = 1; step < Math.Min(n, traceT.Shape[0]); step++)
        {
            // The adjoint of one application. From the last row to the first: the row before is still that of the application before.
            for (int t = traceT.Shape[0] - 1; t > 0; t--)
            {
                weight[t].CopyTo(traceT[t]);
                Carry(tape, steps, traceT[t - 1], 1f, t - 1, traceT[t]);
            }
        }
        return traceT;
    }

    /// <summary>y += g_t k_t lambda x</summary>
    private static void Carry(Tape tape, Transitions steps, Tensor x, float lambda, int t, Tensor y)
    {
        using (tape.NoGrad())
        {
            var sum = tape.Constant(y) + tape.Constant(x) * lambda * steps.DiscountT[t] * steps.ContinueT[t];
            sum.Value.CopyTo(y);
        }
    }

    private static Tensor Masked(Tape tape, Transitions steps, Tensor x)
    {
        var y = tape.Scratch(x.Shape);
        tape.Device.Zip(default(Multiply), x, steps.MaskT, y);
        return y;
    }

    /// <summary>k lambda min(ceiling, ratio)</summary>
    private static Var Trace(Var k, float lambda, Tensor ratio, float ceiling)
        => ratio.IsNone ? k * lambda : k * lambda * k.Tape.Constant(ratio).Clamp(0f, ceiling);

    /// <summary>y_t = a_t + b_t y_{t+1}, y_T = 0.</summary>
    private static Tensor Solve(Tape tape, Var a, Var b)
    {
        var y = tape.Allocate(Shape.Broadcast(a.Shape, b.Shape));
        var (spreadA, spreadB) = (tape.Scratch(y.Shape), tape.Scratch(y.Shape));
        Spread(tape, a.Value, spreadA);
        Spread(tape, b.Value, spreadB);
        tape.Device.Scan(spreadA, spreadB, y);
        return y;
    }

    /// <summary>y = x, broadcast.</summary>
    private static void Spread(Tape tape, Tensor x, Tensor y)
    {
        tape.Device.Fill(y, 0f);
        tape.Device.Zip(default(Add), x, y, y);
    }
}

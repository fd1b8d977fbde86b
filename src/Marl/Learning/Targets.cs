namespace Marl.Native.Rl;

/// <summary>
/// Return estimators: learning targets without gradients. Tensors are time-major, [T, B, ..]; r, g, k and the mask are those of <see cref="Transitions"/>,
/// and row t of an argument named ..Next belongs to time t + 1 (of values [T+1, ..]: Slice(1, T)). All are one backward recursion:
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
/// where v is the expected or the maximum q, and rho = pi(a) / mu(a) of the action taken. n-step returns are its first n applications, V-trace is the
/// recursion with corrected rewards. Results are valid until the enclosing scope of the tape ends.
/// </summary>
public static class Targets
{
    /// <summary>Computes TD(lambda) returns, G_t = r_t + g_t ((1 - lambda) v_{t+1} + lambda G_{t+1}). lambda 0: one-step; 1: Monte Carlo that bootstraps at
    /// truncation. With v = max q it is Peng's Q(lambda), and Watkins' if <paramref name="factorNext"/> is 0 where a_{t+1} is not greedy.</summary>
    /// <param name="tape">Allocates the result.</param>
    /// <param name="transitions">r, g and k, [T, B, 1] or [T, B, N].</param>
    /// <param name="vNext">v_{t+1}, [T, B, N] or [T, B, 1].</param>
    /// <param name="lambda">In [0, 1].</param>
    /// <param name="factorNext">Factor of lambda at t + 1; <c>default</c>: 1.</param>
    /// <returns>G_t [T, B, N]; 0 where the mask is 0.</returns>
    public static Tensor Lambda(Tape tape, Transitions transitions, Tensor vNext, float lambda, Tensor factorNext = default)
        => Backup(tape, transitions, vNext, vNext, lambda, factorNext);

    /// <summary>Computes generalized advantage estimates, A_t = delta_t + g_t lambda A_{t+1} with delta_t = r_t + g_t v_{t+1} - v_t (Schulman et al. 2016,
    /// equation 16). A_t + v_t is the <see cref="Lambda"/> return.</summary>
    /// <param name="tape">Allocates the result.</param>
    /// <param name="transitions">r, g and k.</param>
    /// <param name="valueT">v_t.</param>
    /// <param name="vNext">v_{t+1} of the state that step t led to, before any reset.</param>
    /// <param name="lambda">In [0, 1].</param>
    /// <returns>A_t [T, B, N]; 0 where the mask is 0.</returns>
    public static Tensor Gae(Tape tape, Transitions transitions, Tensor valueT, Tensor vNext, float lambda)
    {
        using var detached = tape.NoGrad();
        var (r, g, k) = transitions.ToVars(tape);
        var delta = (r + g * tape.Constant(vNext) - valueT) * transitions.MaskT;
        return detached.Keep(Solve(tape, delta, g * k * lambda));
    }

    /// <summary>Computes Monte Carlo returns, G_t = r_t + g_t r_{t+1} + g_t g_{t+1} r_{t+2} + .. to the end of the episode, without bootstrapping.</summary>
    public static Tensor MonteCarlo(Tape tape, Transitions transitions)
    {
        using var detached = tape.NoGrad();
        var (r, g, k) = transitions.ToVars(tape);
        return detached.Keep(Solve(tape, r, g * k));
    }

    /// <summary>Computes n-step returns, G_t = r_t + .. + g_t .. g_{t+K-1} v_{t+K}, K = min(n, remaining steps of the episode) (Sutton and Barto 2018, section
    /// 7.1); with ratios, those of per-decision importance sampling with control variates (section 7.4).</summary>
    /// <param name="tape">Allocates the result.</param>
    /// <param name="transitions">r, g and k.</param>
    /// <param name="vNext">v_{t+1}.</param>
    /// <param name="n">The number of rewards, at least 1.</param>
    /// <param name="ratioNext">Importance ratios of step t + 1; <c>default</c>: 1.</param>
    /// <returns>G_t; 0 where the mask is 0.</returns>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="n"/> is below 1.</exception>
    public static Tensor NStep(Tape tape, Transitions transitions, Tensor vNext, int n, Tensor ratioNext = default)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(n, 1);
        var shape = Shape.Broadcast(transitions.RewardT.Shape, vNext.Shape);
        var (returnT, returnNext) = (tape.Scratch(shape), tape.Scratch(shape));
        // One step: r + g v.
        tape.Device.Zip(default(Multiply), transitions.DiscountT, vNext, returnT);
        tape.Device.Zip(default(Add), transitions.RewardT, returnT, returnT);
        for (int step = 1; step < Math.Min(n, shape[0]); step++)
        {
            // One application: v_{t+1} is replaced by the previous result at t + 1, unless the episode ends at t.
            Transitions.Shift(tape, returnT, returnNext);
            using (tape.NoGrad())
            {
                var (r, g, k) = transitions.ToVars(tape);
                var v = tape.Constant(vNext);
                var c = ratioNext.IsNone ? k : k * ratioNext;
                (r + g * (v + c * (tape.Constant(returnNext) - v))).Value.CopyTo(returnT);
            }
        }
        return returnT;
    }

    /// <summary>
    /// Computes the recursion itself, G_t = r_t + g_t (v_{t+1} + k_t c_{t+1} (G_{t+1} - q_{t+1})) with c = lambda min(<paramref name="ceiling"/>, ratio):
    /// Retrace with ratio rho and ceiling 1, tree backup with ratio pi(a), importance sampling with ratio rho and lambda 1, Q(lambda) without a ratio; with
    /// lambda 0 expected Sarsa or Q-learning (Munos et al. 2016, equation 4 and table 1).
    /// </summary>
    /// <param name="tape">Allocates the result.</param>
    /// <param name="transitions">r, g and k, [T, B, 1] or [T, B, N].</param>
    /// <param name="vNext">v_{t+1}: sum_a pi(a) q(s_{t+1}, a), or the maximum.</param>
    /// <param name="qNext">q(s_{t+1}, a_{t+1}) of the action taken.</param>
    /// <param name="lambda">Factor of all traces, in [0, 1].</param>
    /// <param name="ratioNext">Nonnegative ratios of a_{t+1}; <c>default</c>: 1.</param>
    /// <param name="ceiling">Upper bound of the ratios.</param>
    /// <returns>Targets of q(s_t, a_t) [T, B, N]; 0 where the mask is 0.</returns>
    public static Tensor Backup(Tape tape, Transitions transitions, Tensor vNext, Tensor qNext, float lambda, Tensor ratioNext = default,
        float ceiling = float.PositiveInfinity)
    {
        using var detached = tape.NoGrad();
        var (r, g, k) = transitions.ToVars(tape);
        var c = Trace(k, lambda, ratioNext, ceiling);
        return detached.Keep(Solve(tape, r + g * (tape.Constant(vNext) - c * qNext), g * c));
    }

    /// <summary>
    /// Computes V-trace targets (Espeholt et al. 2018, equation 1 and remark 1): with rho'_t = min(rhoBar, rho_t) and c_t = lambda min(cBar, rho_t),
    /// vs_t = v_t + rho'_t (r_t + g_t v_{t+1} - v_t) + g_t c_t (vs_{t+1} - v_{t+1}).
    /// </summary>
    /// <param name="tape">Allocates the result.</param>
    /// <param name="transitions">r, g and k.</param>
    /// <param name="valueT">v_t.</param>
    /// <param name="vNext">v_{t+1}.</param>
    /// <param name="ratioT">rho_t = pi(a_t) / mu(a_t).</param>
    /// <param name="lambda">Factor of the traces, in [0, 1].</param>
    /// <param name="rhoBar">Upper bound of rho, which determines the fixed point; infinite: the value of pi.</param>
    /// <param name="cBar">Upper bound of the traces, which determines the speed of convergence.</param>
    /// <returns>vs_t; 0 where the mask is 0.</returns>
    public static Tensor VTrace(Tape tape, Transitions transitions, Tensor valueT, Tensor vNext, Tensor ratioT, float lambda = 1f,
        float rhoBar = 1f, float cBar = 1f)
    {
        using var detached = tape.NoGrad();
        var (r, g, k) = transitions.ToVars(tape);
        var (v, next, mask) = (tape.Constant(valueT), tape.Constant(vNext), tape.Constant(transitions.MaskT));
        var rho = tape.Constant(ratioT).Clamp(0f, rhoBar);
        var c = Trace(k, lambda, ratioT, cBar);
        return detached.Keep(Solve(tape, mask * (v + rho * (r + g * next - v)) - g * c * next, g * c));
    }

    /// <summary>Computes the advantages of V-trace's policy gradient, min(rhoBar, rho_t) (r_t + g_t (v_{t+1} + lambda (vs_{t+1} - v_{t+1})) - v_t)
    /// (Espeholt et al. 2018, section 4.2); <paramref name="vsT"/> is the result of <see cref="VTrace"/> for the same arguments.</summary>
    /// <returns>The advantages; 0 where the mask is 0.</returns>
    public static Tensor VTraceAdvantage(Tape tape, Transitions transitions, Tensor valueT, Tensor vNext, Tensor vsT, Tensor ratioT,
        float lambda = 1f, float rhoBar = 1f)
    {
        using var detached = tape.NoGrad();
        var vsNext = tape.Scratch(vsT.Shape);
        Transitions.Shift(tape, vsT, vsNext);
        var (r, g, k) = transitions.ToVars(tape);
        var (next, mask) = (tape.Constant(vNext), tape.Constant(transitions.MaskT));
        var rho = tape.Constant(ratioT).Clamp(0f, rhoBar);
        return detached.Keep(mask * rho * (r + g * (next + k * lambda * (tape.Constant(vsNext) - next)) - valueT));
    }

    /// <summary>Computes the weight of each reward in a weighted sum of <see cref="Lambda"/> returns, sum_t w_t G_t = sum_t e_t r_t + terms without rewards.
    /// It is an eligibility trace, e_t = w_t + g_{t-1} k_{t-1} lambda e_{t-1} (forward and backward view, Sutton and Barto 2018, chapter 12).</summary>
    /// <param name="tape">Allocates the result.</param>
    /// <param name="transitions">g and k.</param>
    /// <param name="weightT">w_t [T, B, N].</param>
    /// <param name="lambda">In [0, 1].</param>
    /// <returns>e_t [T, B, N]; 0 where the mask is 0.</returns>
    public static Tensor LambdaTrace(Tape tape, Transitions transitions, Tensor weightT, float lambda)
    {
        var traceT = Masked(tape, transitions, weightT);
        for (int t = 1; t < traceT.Shape[0]; t++)
        {
            AddDecayed(tape, transitions, traceT[t - 1], lambda, t - 1, traceT[t]);
        }
        return traceT;
    }

    /// <summary>Computes the weight of each reward in a weighted sum of <see cref="NStep"/> returns: e_t = w_t + g_{t-1} w_{t-1} + .., over the last n
    /// weights of the episode.</summary>
    public static Tensor NStepTrace(Tape tape, Transitions transitions, Tensor weightT, int n)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(n, 1);
        var (weight, traceT) = (Masked(tape, transitions, weightT), Masked(tape, transitions, weightT));
        for (int step = 1; step < Math.Min(n, traceT.Shape[0]); step++)
        {
            // The adjoint of one application. Backward, because row t - 1 must still be that of the previous application.
            for (int t = traceT.Shape[0] - 1; t > 0; t--)
            {
                weight[t].CopyTo(traceT[t]);
                AddDecayed(tape, transitions, traceT[t - 1], 1f, t - 1, traceT[t]);
            }
        }
        return traceT;
    }

    /// <summary>Computes y += g_t k_t lambda x.</summary>
    private static void AddDecayed(Tape tape, Transitions transitions, Tensor x, float lambda, int t, Tensor y)
    {
        using (tape.NoGrad())
        {
            var sum = tape.Constant(y) + tape.Constant(x) * lambda * transitions.DiscountT[t] * transitions.ContinueT[t];
            sum.Value.CopyTo(y);
        }
    }

    private static Tensor Masked(Tape tape, Transitions transitions, Tensor x)
    {
        var y = tape.Scratch(x.Shape);
        tape.Device.Zip(default(Multiply), x, transitions.MaskT, y);
        return y;
    }

    /// <summary>Computes k lambda min(ceiling, ratio).</summary>
    private static Var Trace(Var k, float lambda, Tensor ratio, float ceiling)
        => ratio.IsNone ? k * lambda : k * lambda * k.Tape.Constant(ratio).Clamp(0f, ceiling);

    /// <summary>Solves y_t = a_t + b_t y_{t+1} with y_T = 0.</summary>
    private static Tensor Solve(Tape tape, Var a, Var b)
    {
        var y = tape.Allocate(Shape.Broadcast(a.Shape, b.Shape));
        var (aFull, bFull) = (tape.Scratch(y.Shape), tape.Scratch(y.Shape));
        Broadcast(tape, a.Value, aFull);
        Broadcast(tape, b.Value, bFull);
        tape.Device.Scan(aFull, bFull, y);
        return y;
    }

    /// <summary>Copies x to y with broadcasting.</summary>
    private static void Broadcast(Tape tape, Tensor x, Tensor y)
    {
        tape.Device.Fill(y, 0f);
        tape.Device.Zip(default(Add), x, y, y);
    }
}

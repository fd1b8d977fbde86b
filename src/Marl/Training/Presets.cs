namespace Marl.Native.Rl;

/// <summary>
/// What was published for an algorithm in a family of environments: the defaults of a run, which settings then change.
/// Everything but the two-step game: Papoudakis et al. 2021 ("Benchmarking multi-agent deep reinforcement learning algorithms in cooperative tasks",
/// appendix, with parameter sharing) and, for what it does not say, their EPyMARL's configuration. Those of IQL were compared with that configuration; the
/// values of VDN and QMIX that differ from it by domain still have to be compared with the appendix.
/// QTRAN was not among them; what it has of its own is as in PyMARL's configuration, everything else as for the other algorithms.
/// The two-step game and QTRAN's game of one step: Rashid et al. 2018 ("QMIX", appendix), where exploration stays complete so that every state is seen alike,
/// as in Son et al. 2019 ("QTRAN", matrix game).
/// QPLEX and weighted QMIX were not among them either. In matrix games they explore completely too, as QPLEX's didactic examples do, with the sizes of their
/// authors' code; elsewhere they have those which that code has for StarCraft, and for the rest the values of QMIX.
/// </summary>
internal static class Presets
{
    /// <summary>Independent Q-learning.</summary>
    public static QLearningOptions Iql(string environment) => FamilyOf(environment) switch
    {
        Family.TwoStep => TwoStep,
        Family.Matrix => Foraging with { Agent = AgentKind.Mlp, TargetEvery = 200, TargetTau = 1f, EpsilonAnneal = 50_000 },
        _ => Foraging with { TargetEvery = 200, TargetTau = 1f },
    };

    /// <summary>Value decomposition networks.</summary>
    public static QLearningOptions Vdn(string environment) => FamilyOf(environment) switch
    {
        Family.TwoStep => TwoStep,
        Family.Matrix => Foraging with { Agent = AgentKind.Mlp, Hidden = 64, LearningRate = 1e-4f },
        _ => Foraging,
    } with
    { Mixer = MixerKind.Vdn };

    /// <summary>QMIX.</summary>
    public static QLearningOptions Qmix(string environment) => FamilyOf(environment) switch
    {
        Family.TwoStep => TwoStep with { MixingEmbed = 8, HypernetLayers = 1 },
        Family.Matrix => Foraging with { Agent = AgentKind.Mlp, Hidden = 64 },
        _ => Foraging with { Hidden = 64 },
    } with
    { Mixer = MixerKind.Qmix };

    /// <summary>REINFORCE.</summary>
    public static ActorCriticOptions Reinforce(string environment) => Ia2c(environment) with { Critic = CriticKind.None };

    /// <summary>Independent A2C.</summary>
    public static ActorCriticOptions Ia2c(string environment) => new()
    {
        Agent = NetworkOf(environment),
        NStep = 5,
        LearningRate = 5e-4f,
    };

    /// <summary>Independent PPO.</summary>
    public static ActorCriticOptions Ippo(string environment) => Ia2c(environment) with { Clip = 0.2f, Epochs = 4, LearningRate = 3e-4f };

    /// <summary>A2C with a central critic.</summary>
    public static ActorCriticOptions Maa2c(string environment) => Ia2c(environment) with { Critic = CriticKind.Central };

    /// <summary>PPO with a central critic.</summary>
    public static ActorCriticOptions Mappo(string environment) => Ippo(environment) with { Critic = CriticKind.Central };

    /// <summary>COMA, as EPyMARL configures it but for the learning rates and the targets, which follow slowly here: with targets that are exchanged every 200 updates,
    /// or with policies that learn as fast as their critic, policies became certain of what is bad in the particle worlds. (PyMARL: lambda 0.8, floor 0.5 to 0.01 in 100 000 steps, maskBeforeSoftmax false, criticObservation and
    /// criticLastActions true, RMSprop with epsilon 1e-5.)</summary>
    public static ComaOptions Coma(string environment) => new()
    {
        Agent = AgentKind.Mlp,
        NStep = 5,
        LearningRate = 1e-4f,
        CriticLearningRate = 1e-3f,
    };

    /// <summary>LIIR with the optimiser, lambda and intrinsic weight of its authors' code (for StarCraft), for the rest as independent A2C. (That code also has
    /// criticObservation, criticActions, criticLastActions and normaliseAdvantages true, and a floor below its policies. Where rewards are rare, advantages that are
    /// brought to one size whatever they were are those of the intrinsic reward alone, and nothing else is learnt.)</summary>
    public static LiirOptions Liir(string environment) => new()
    {
        Agent = NetworkOf(environment),
        Lambda = 0.8f,
        Optimizer = OptimizerKind.Rmsprop,
        OptimizerEpsilon = 1e-5f,
        LearningRate = 5e-4f,
    };

    /// <summary>Pareto actor-critic, as EPyMARL configures it for the matrix games of its paper, but for two things. Returns are standardised: its critic is not
    /// fast enough for returns in the hundreds. And entropy is at its end after half of the training, not after four fifths, which leaves time to settle on
    /// one of two best joint actions.</summary>
    public static ParetoOptions ParetoActorCritic(string environment) => new()
    {
        Agent = AgentKind.Mlp,
        Shared = false,
        AgentId = false,
        NStep = 10,
        LearningRate = 3e-4f,
        StandardiseRewards = false,
        StandardiseReturns = true,
    };

    /// <summary>MADDPG as EPyMARL configures it: hard samples, the likeliest action for targets. In the particle worlds, where agents are unlike and teams pursue
    /// ends of their own, weights are not shared and critics read all observations, in networks of 64 units, as in its authors' code; that code's learning rate
    /// of 0.01, discount of 0.95 and soft samples learnt nothing in <c>mpe-v0:speaker-listener</c> here.</summary>
    public static MaddpgOptions Maddpg(string environment) => FamilyOf(environment) == Family.Particles
        ? new()
        {
            Agent = AgentKind.Mlp,
            Shared = false,
            AgentId = false,
            Hidden = 64,
            CriticHidden = 64,
            Critic = ActionCriticKind.Observations,
            LearningRate = 1e-3f,
        }
        : new() { Agent = AgentKind.Mlp, LearningRate = 5e-4f };

    /// <summary>MATD3: delay and smoothing of Fujimoto et al. 2018.</summary>
    public static MaddpgOptions Matd3(string environment) => Maddpg(environment) with { Twin = true, PolicyDelay = 2, Smoothing = 0.2f };

    /// <summary>Independent DDPG.</summary>
    public static MaddpgOptions Ddpg(string environment) => Maddpg(environment) with { Critic = ActionCriticKind.Local };

    /// <summary>QTRAN-base.</summary>
    public static QtranOptions Qtran(string environment) => FamilyOf(environment) switch
    {
        Family.TwoStep => Didactic(new QtranOptions()),
        Family.Matrix => new() { Agent = AgentKind.Mlp, Hidden = 64 },
        _ => new() { Hidden = 64 },
    };

    /// <summary>QTRAN-alt.</summary>
    public static QtranOptions QtranAlt(string environment) => Qtran(environment) with { Variant = QtranVariant.Alt };

    /// <summary>QPLEX. Kernels of a single layer cannot tell joint actions apart well enough for a matrix game.</summary>
    public static QLearningOptions Qplex(string environment) => FamilyOf(environment) switch
    {
        Family.TwoStep => TwoStep with { Kernels = 10, KernelLayers = 3 },
        Family.Matrix => TwoStep with { Agent = AgentKind.Mlp, Kernels = 10, KernelLayers = 3 },
        _ => Foraging with { Hidden = 64 },
    } with
    { Mixer = MixerKind.Qplex };

    /// <summary>CW-QMIX. Rashid et al. 2020 have this alpha for StarCraft, and 0.1 for predator and prey, where others' exploration is punished as it is in
    /// matrix games.</summary>
    public static WeightedQmixOptions CentrallyWeightedQmix(string environment) => WeightedQmix(environment, WeightingKind.Central, alpha: 0.75f);

    /// <summary>OW-QMIX, alpha likewise.</summary>
    public static WeightedQmixOptions OptimisticallyWeightedQmix(string environment) => WeightedQmix(environment, WeightingKind.Optimistic, alpha: 0.5f);

    /// <summary>How long to train and how often to look, for algorithms that replay experience. In the particle worlds the limit is the end, as in the
    /// published runs: their state does not tell the time, and values that are bootstrapped beyond it diverge with QMIX.</summary>
    public static TrainingOptions ReplayTraining(string environment) => FamilyOf(environment) switch
    {
        Family.TwoStep => new() { Steps = 10_000, EvaluateEvery = 1_000, EvaluationEpisodes = 10 },
        Family.Matrix => new() { Steps = 250_000, EvaluationEpisodes = 10 },
        Family.Particles => new() { Steps = 2_000_000, EvaluateEvery = 20_000, TerminateAtLimit = true },
        _ => new() { Steps = 2_000_000, EvaluateEvery = 20_000 },
    };

    /// <summary>The same for algorithms that learn from the last round alone: ten episodes in a round and, outside of the small games, ten times the
    /// steps. In the matrix games too the limit is the end, as for the published runs of Pareto actor-critic.</summary>
    public static TrainingOptions OnPolicyTraining(string environment)
    {
        var training = ReplayTraining(environment) with { Environments = 10 };
        return FamilyOf(environment) switch
        {
            Family.TwoStep => training with { Steps = 50_000, EvaluateEvery = 5_000 },
            Family.Matrix => training with { Steps = 500_000, EvaluateEvery = 20_000, TerminateAtLimit = true },
            _ => training with { Steps = 20_000_000, EvaluateEvery = 200_000, CheckpointEvery = 500_000 },
        };
    }

    private static QLearningOptions Foraging { get; } = new();

    private static WeightedQmixOptions WeightedQmix(string environment, WeightingKind weighting, float alpha) => FamilyOf(environment) switch
    {
        Family.TwoStep => Didactic(new WeightedQmixOptions { MixingEmbed = 8, HypernetLayers = 1, Alpha = 0.1f }),
        Family.Matrix => Didactic(new WeightedQmixOptions { Agent = AgentKind.Mlp, Alpha = 0.1f }),
        _ => new WeightedQmixOptions { Hidden = 64, Alpha = alpha },
    } with
    { Weighting = weighting };

    private static QLearningOptions TwoStep { get; } = Didactic(new QLearningOptions());

    private static TOptions Didactic<TOptions>(TOptions options) where TOptions : ValueOptions => options with
    {
        Hidden = 64,
        LastAction = true,
        Optimizer = OptimizerKind.Rmsprop,
        OptimizerEpsilon = 1e-5f,
        LearningRate = 5e-4f,
        TargetEvery = 100,
        TargetTau = 1f,
        StandardiseRewards = false,
        BufferSize = 500,
        EpsilonFinish = 1f,
        EpsilonAnneal = 0,
    };

    /// <summary>Matrix games have nothing to remember.</summary>
    private static AgentKind NetworkOf(string environment) => FamilyOf(environment) is Family.TwoStep or Family.Matrix ? AgentKind.Mlp : AgentKind.Gru;

    private enum Family
    {
        Other,
        TwoStep,
        Matrix,
        Particles,
    }

    private static Family FamilyOf(string environment)
        => environment.StartsWith("two-step", StringComparison.Ordinal) || environment.StartsWith("qtran-game", StringComparison.Ordinal) ? Family.TwoStep
        : environment.StartsWith("climbing", StringComparison.Ordinal) || environment.StartsWith("penalty", StringComparison.Ordinal)
            || environment.StartsWith("matrix", StringComparison.Ordinal) ? Family.Matrix
        : environment.StartsWith($"{ParticleWorlds.Current}:", StringComparison.Ordinal) || environment.StartsWith($"{ParticleWorlds.Original}:", StringComparison.Ordinal)
            ? Family.Particles
        : Family.Other;
}

using System.Text.Json.Nodes;
using System.Text.Json.Serialization.Metadata;

namespace Marl.Native.Rl;

/// <summary>An algorithm by name, with its published defaults. A new one is a line in <see cref="All"/> and a file of its own.</summary>
public abstract class Algorithm(string name, string description)
{
    /// <summary>Everything there is.</summary>
    public static IReadOnlyList<Algorithm> All { get; } =
    [
        QLearning("iql", "independent Q-learning (Tan 1993; Tampuu et al. 2017)", Presets.Iql),
        QLearning("vdn", "value decomposition networks (Sunehag et al. 2018)", Presets.Vdn),
        QLearning("qmix", "monotone value factorisation (Rashid et al. 2018)", Presets.Qmix),
        Qtran("qtran", "factorisation by transformation, QTRAN-base (Son et al. 2019)", Presets.Qtran),
        Qtran("qtran-alt", "the same with counterfactual joint values, QTRAN-alt (Son et al. 2019)", Presets.QtranAlt),
        QLearning("qplex", "duplex duelling value factorisation (Wang et al. 2021)", Presets.Qplex),
        WeightedQmix("cw-qmix", "centrally-weighted QMIX (Rashid et al. 2020)", Presets.CentrallyWeightedQmix),
        WeightedQmix("ow-qmix", "optimistically-weighted QMIX (Rashid et al. 2020)", Presets.OptimisticallyWeightedQmix),
        ActorCritic("reinforce", "policy gradient of returns, independent (Williams 1992)", Presets.Reinforce),
        ActorCritic("ia2c", "independent advantage actor-critic (Mnih et al. 2016)", Presets.Ia2c),
        ActorCritic("ippo", "independent proximal policy optimisation (de Witt et al. 2020)", Presets.Ippo),
        ActorCritic("maa2c", "advantage actor-critic with a central critic (Papoudakis et al. 2021)", Presets.Maa2c),
        ActorCritic("mappo", "proximal policy optimisation with a central critic (Yu et al. 2022)", Presets.Mappo),
        Coma("coma", "counterfactual multi-agent policy gradients (Foerster et al. 2018)", Presets.Coma),
        Liir("liir", "learning individual intrinsic rewards (Du et al. 2019)", Presets.Liir),
        Maddpg("maddpg", "multi-agent deep deterministic policy gradients (Lowe et al. 2017)", Presets.Maddpg),
        Maddpg("matd3", "the same with twin critics and delayed policies (Ackermann et al. 2019)", Presets.Matd3),
        Maddpg("ddpg", "deep deterministic policy gradients, independent (Lillicrap et al. 2016)", Presets.Ddpg),
        ParetoActorCritic("pareto-ac", "Pareto actor-critic, for the best equilibrium (Christianos et al. 2023)", Presets.ParetoActorCritic),
    ];

    /// <summary>What the command calls it.</summary>
    public string Name { get; } = name;

    /// <summary>One line for people.</summary>
    public string Description { get; } = description;

    /// <summary>By name.</summary>
    /// <exception cref="UsageException">there is none; names the nearest.</exception>
    public static Algorithm Find(string name) => All.FirstOrDefault(a => a.Name == name)
        ?? throw UsageException.Unknown("algorithm", name, All.Select(a => a.Name));

    /// <summary>Names and published defaults of its options in an environment.</summary>
    public abstract JsonObject DefaultOptions(string environment);

    /// <summary>How it is trained in an environment, as published.</summary>
    public abstract TrainingOptions DefaultTraining(string environment);

    internal abstract JsonTypeInfo OptionsType { get; }

    internal abstract object ReadOptions(JsonObject node);

    internal abstract JsonObject WriteOptions(object options);

    /// <summary>Whether it can learn actions that are numbers.</summary>
    public virtual bool IsContinuous => false;

    /// <exception cref="UsageException">it cannot learn what the environment has.</exception>
    internal ILearner Create(object options, LearningContext context)
    {
        if (context.Spec.IsContinuous && !IsContinuous)
        {
            throw new UsageException($"{Name} chooses among actions, and those of {context.Spec.Id} are numbers; these algorithms can learn them: " +
                string.Join(", ", All.Where(algorithm => algorithm.IsContinuous).Select(algorithm => algorithm.Name)));
        }
        return CreateLearner(options, context);
    }

    private protected abstract ILearner CreateLearner(object options, LearningContext context);

    private static Typed<QLearningOptions> QLearning(string name, string description, Func<string, QLearningOptions> defaults)
        => new(name, description, defaults, RunJson.Default.QLearningOptions, Presets.ReplayTraining, Rl.QLearning.Learner);

    private static Typed<ActorCriticOptions> ActorCritic(string name, string description, Func<string, ActorCriticOptions> defaults)
        => new(name, description, defaults, RunJson.Default.ActorCriticOptions, Presets.OnPolicyTraining, Rl.ActorCritic.Learner);

    private static Typed<QtranOptions> Qtran(string name, string description, Func<string, QtranOptions> defaults)
        => new(name, description, defaults, RunJson.Default.QtranOptions, Presets.ReplayTraining, Rl.Qtran.Learner);

    private static Typed<WeightedQmixOptions> WeightedQmix(string name, string description, Func<string, WeightedQmixOptions> defaults)
        => new(name, description, defaults, RunJson.Default.WeightedQmixOptions, Presets.ReplayTraining, Rl.WeightedQmix.Learner);

    private static Typed<ComaOptions> Coma(string name, string description, Func<string, ComaOptions> defaults)
        => new(name, description, defaults, RunJson.Default.ComaOptions, Presets.OnPolicyTraining, Rl.Coma.Learner);

    private static Typed<LiirOptions> Liir(string name, string description, Func<string, LiirOptions> defaults)
        => new(name, description, defaults, RunJson.Default.LiirOptions, Presets.OnPolicyTraining, Rl.Liir.Learner);

    private static Typed<MaddpgOptions> Maddpg(string name, string description, Func<string, MaddpgOptions> defaults)
        => new(name, description, defaults, RunJson.Default.MaddpgOptions, Presets.ReplayTraining, Rl.Maddpg.Learner, continuous: true);

    private static Typed<ParetoOptions> ParetoActorCritic(string name, string description, Func<string, ParetoOptions> defaults)
        => new(name, description, defaults, RunJson.Default.ParetoOptions, Presets.OnPolicyTraining, Rl.ParetoActorCritic.Learner);

    private sealed class Typed<TOptions>(string name, string description, Func<string, TOptions> defaults, JsonTypeInfo<TOptions> type,
        Func<string, TrainingOptions> training, Func<TOptions, LearningContext, ILearner> create, bool continuous = false)
        : Algorithm(name, description) where TOptions : class
    {
        public override bool IsContinuous => continuous;

        public override JsonObject DefaultOptions(string environment) => Json.ToNode(defaults(environment), type);

        public override TrainingOptions DefaultTraining(string environment) => training(environment);

        internal override JsonTypeInfo OptionsType => type;

        internal override object ReadOptions(JsonObject node) => Json.FromNode(node, type);

        internal override JsonObject WriteOptions(object options) => Json.ToNode((TOptions)options, type);

        private protected override ILearner CreateLearner(object options, LearningContext context) => create((TOptions)options, context);
    }
}

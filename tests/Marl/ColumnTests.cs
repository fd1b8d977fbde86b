using Marl.Native.Rl;

namespace Marl.Native.Tests;

/// <summary>Columns of experience: what an algorithm declares goes through episodes and batches.</summary>
public sealed class ColumnTests
{
    [Theory]
    [InlineData(1), InlineData(3)]
    public void AnAlgorithmDeclaresWhatItNeeds(int shards)
    {
        using var workers = new Workers(1);
        var spec = Catalog.CreateEnvironment("lbf:5x5-2p-1f").Spec;
        var context = new LearningContext(spec, workers) { Environments = 6, Shards = shards };
        var options = new ReinforceOptions { Hidden = 8 };
        var objective = new Squares(options, context);
        var learner = new OnPolicyLearner(options, context, objective);
        Episode[] episodes = [.. Enumerable.Range(0, 6).Select(i => Games.Play(() => Catalog.CreateEnvironment("lbf:5x5-2p-1f"), i))];
        learner.Learn(episodes, steps: 0);
        Assert.Equal(shards, objective.Seen);
        foreach (var episode in episodes)
        {
            Assert.Equal(episode.Length, episode[Squares.OfReturns].Length);
            for (int t = 0; t < episode.Length; t++)
            {
                Assert.Equal(episode[Column.Returns][2 * t] * episode[Column.Returns][2 * t], episode[Squares.OfReturns][t]);
            }
        }
    }

    [Fact]
    public void AColumnNobodyDeclaredIsNamed()
    {
        var spec = new TwoStepGame().Spec;
        var batch = new EpisodeBatch(spec, 1, 1);
        batch.Load([Games.Play(() => new TwoStepGame(), 0)]);
        Assert.False(batch.Has(Column.Returns));
        Assert.Contains("'returns'", Assert.Throws<ArgumentException>(() => batch.Returns).Message, StringComparison.Ordinal);
        Assert.Contains("'squares'", Assert.Throws<ArgumentException>(() => new Episode(spec)[Squares.OfReturns].Length).Message, StringComparison.Ordinal);
        Assert.Contains("'rewards'", Assert.Throws<ArgumentException>(() => new Episode(spec, columns: [new Column("rewards")])).Message, StringComparison.Ordinal);
        Assert.Throws<ArgumentException>(() => new EpisodeRecorder(spec).Begin(new TwoStepGame(), new Episode(spec, rewardStreams: 2)));
    }

    /// <summary>Recorded columns of every kind, of some and of no width, with padding of their own.</summary>
    [Fact]
    public void EveryKindOfColumnIsPaddedAsDeclared()
    {
        var spec = new TwoStepGame().Spec;
        Column number = new("number", 3) { Lifetime = ColumnLifetime.Recorded, Padding = 7f, HasFinalRow = true },
            flag = new("flag") { PerAgent = true, Kind = ColumnKind.Bool, Lifetime = ColumnLifetime.Recorded },
            index = new("index", 2) { PerAgent = true, Kind = ColumnKind.Int, Lifetime = ColumnLifetime.Update, Padding = -1f },
            once = new("once") { PerEpisode = true, Lifetime = ColumnLifetime.Recorded };
        Column[] columns = [number, flag, index, once];
        var batch = new EpisodeBatch(spec, 2, 1, columns: columns);
        Episode[] episodes = [new(spec, columns: columns) { Length = 1 }, new(spec, columns: columns) { Length = 2 }];
        foreach (var episode in episodes)
        {
            episode[number].Fill(episode.Length);
            episode.Bools(flag).All.Fill(true);
            episode.Ints(index).All.Fill(5);
            episode[once][0] = 10 * episode.Length;
        }
        batch.Load(episodes);
        Assert.Equal((new Shape(3, 2, 3), new Shape(2, 2, 2), new Shape(2, 2, 2, 2), new Shape(2, 1)),
            (batch[number].Shape, batch[flag].Shape, batch[index].Shape, batch[once].Shape));
        Assert.Equal([1, 1, 1, 2, 2, 2, 1, 1, 1, 2, 2, 2, 7, 7, 7, 2, 2, 2], batch[number].ToArray());
        Assert.Equal([1, 1, 1, 1, 0, 0, 1, 1], batch[flag].ToArray());
        Assert.Equal([5, 5, 5, 5, 5, 5, 5, 5, -1, -1, -1, -1, 5, 5, 5, 5], batch[index].ToArray());
        Assert.Equal([10, 20], batch[once].ToArray());
    }

    /// <summary>REINFORCE that stores the squares of its returns too.</summary>
    private sealed class Squares(ActorCriticOptions options, LearningContext context) : PolicyObjective(options, context)
    {
        public static readonly Column OfReturns = new("squares");

        public int Seen { get; private set; }

        public override IReadOnlyList<Column> Columns => [.. base.Columns, OfReturns];

        public override IReadOnlyList<string> Metrics { get; } = ["actorLoss", "entropy"];

        public override void ComputeReturns(LossContext context)
        {
            var returns = Targets.MonteCarlo(context.Tape, context.TransitionsOf(1f));
            context.Store(returns, Column.Returns);
            context.Store((context.Tape.Constant(returns) * returns).Value, OfReturns);
        }

        public override Var Loss(LossContext context)
        {
            var (squares, returns) = (context.Batch[OfReturns], context.Batch.Returns);
            Assert.Equal(new Shape(context.Batch.Steps, context.Batch.Count, 1), squares.Shape);
            for (int i = 0; i < squares.Count; i++)
            {
                Assert.Equal(returns.Span[2 * i] * returns.Span[2 * i], squares.Span[i]);
            }
            Seen++;
            return context.Mean(ActorLoss(context, 0f));
        }
    }
}

namespace Marl.Native.Rl;

/// <summary>
/// The only parallelism there is: work is cut into a fixed number of shards, and the workers take one shard after the other, each with its own
/// memory. Which worker takes which shard changes nothing, so the results are those of one thread. One fork and one join per call; no allocation.
/// </summary>
internal sealed class Workers : IDisposable
{
    private readonly Thread[] threads;
    private readonly Barrier start, end;
    private Action<int, int> body = static (_, _) => { };
    private int shards, next;
    private Exception? failure;
    private CancellationToken stop;
    private bool stopping;

    /// <summary><paramref name="count"/> workers, the calling thread included.</summary>
    public Workers(int count)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(count);
        start = new Barrier(count);
        end = new Barrier(count);
        threads = new Thread[count - 1];
        for (int i = 0; i < threads.Length; i++)
        {
            int worker = i + 1;
            threads[i] = new Thread(() => Serve(worker)) { IsBackground = true, Name = $"marl worker {i + 1}" };
            threads[i].Start();
        }
    }

    /// <summary>How many work, the caller included.</summary>
    public int Count => threads.Length + 1;

    /// <summary>Runs <paramref name="body"/>(shard, worker) for the shards 0 .. <paramref name="shards"/> - 1 and returns when all are done. A worker,
    /// 0 .. <see cref="Count"/> - 1, takes one shard at a time, so what it works in can be its own: what the shard before left in the cache is
    /// written over there. Keep the delegate in a field: a new closure per call would be garbage. The first exception of a shard is thrown here.</summary>
    /// <param name="shards">their number.</param>
    /// <param name="body">takes a shard and a worker.</param>
    /// <param name="stop">after it is requested no shard is begun.</param>
    /// <exception cref="OperationCanceledException">some shards were not run.</exception>
    public void Run(int shards, Action<int, int> body, CancellationToken stop = default)
    {
        if (threads.Length == 0 || shards == 1)
        {
            for (int shard = 0; shard < shards; shard++)
            {
                stop.ThrowIfCancellationRequested();
                body(shard, 0);
            }
            return;
        }
        (this.shards, this.body, this.stop, next, failure) = (shards, body, stop, 0, null);
        start.SignalAndWait();
        TakeShards(worker: 0);
        end.SignalAndWait();
        if (failure is not null)
        {
            System.Runtime.ExceptionServices.ExceptionDispatchInfo.Throw(failure);
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        if (threads.Length > 0 && !stopping)
        {
            stopping = true;
            start.SignalAndWait();
            foreach (var thread in threads)
            {
                thread.Join();
            }
        }
        start.Dispose();
        end.Dispose();
    }

    private void Serve(int worker)
    {
        while (true)
        {
            start.SignalAndWait();
            if (stopping)
            {
                return;
            }
            TakeShards(worker);
            end.SignalAndWait();
        }
    }

    private void TakeShards(int worker)
    {
        for (int shard = Interlocked.Increment(ref next) - 1; shard < shards; shard = Interlocked.Increment(ref next) - 1)
        {
            try
            {
                stop.ThrowIfCancellationRequested();
                body(shard, worker);
            }
            catch (Exception e)
            {
                Interlocked.CompareExchange(ref failure, e, null);
                if (stop.IsCancellationRequested)
                {
                    return;
                }
            }
        }
    }
}

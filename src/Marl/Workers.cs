namespace Marl.Native.Rl;

/// <summary>
/// A fixed set of worker threads. Work is partitioned into a fixed number of shards with memory of their own; each worker processes one shard at a time.
/// Results do not depend on which worker processes which shard, so they equal those of a single thread. One fork and one join per call; no allocation.
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

    /// <summary>Starts <paramref name="count"/> - 1 threads; the calling thread is a worker, too.</summary>
    public Workers(int count)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(count);
        start = new Barrier(count);
        end = new Barrier(count);
        threads = new Thread[count - 1];
        for (int i = 0; i < threads.Length; i++)
        {
            int worker = i + 1;
            threads[i] = new Thread(() => RunWorker(worker)) { IsBackground = true, Name = $"marl worker {i + 1}" };
            threads[i].Start();
        }
    }

    /// <summary>The number of workers, including the calling thread.</summary>
    public int Count => threads.Length + 1;

    /// <summary>Runs <paramref name="body"/>(shard, worker) for the shards 0 .. <paramref name="shards"/> - 1 and returns when all are finished. A worker,
    /// 0 .. <see cref="Count"/> - 1, processes one shard at a time, so buffers can be allocated per worker and stay in its cache. Keep the delegate in a
    /// field: a new closure per call would allocate. The first exception of a shard is rethrown here.</summary>
    /// <param name="shards">The number of shards.</param>
    /// <param name="body">Processes a shard, with the indices of the shard and the worker.</param>
    /// <param name="stop">Requests that no further shard is started.</param>
    /// <exception cref="OperationCanceledException">Some shards were not run.</exception>
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

    private void RunWorker(int worker)
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

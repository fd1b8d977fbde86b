namespace Marl.Native.Rl;

/// <summary>Sums over shards in the order of a fixed binary tree, so that the result does not depend on the number of threads.</summary>
internal static class ShardSum
{
    /// <summary>Sums the tensors of all shards into <paramref name="total"/>. The shards' tensors are overwritten.</summary>
    public static void Reduce<TShard>(TShard[] shards, Func<TShard, Tensor> part, Tensor total)
    {
        for (int distance = 1; distance < shards.Length; distance *= 2)
        {
            for (int i = 0; i + distance < shards.Length; i += 2 * distance)
            {
                var (a, b) = (part(shards[i]), part(shards[i + distance]));
                a.Device.Zip(default(Add), a, b, a);
            }
        }
        part(shards[0]).CopyTo(total);
    }
}

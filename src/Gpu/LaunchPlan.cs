namespace Marl.Native.Gpu;

/// <summary>
/// The order in which recorded launches are submitted, and which of them are one launch. Always the launch with the longest chain of dependent launches after
/// it is next, with all launches of its kernel that nothing holds up. Launches that nothing waits for are left until there are several of their kernel.
/// </summary>
internal static class LaunchPlan
{
    /// <summary>Returns the indices of the launches of each joined launch, in order.</summary>
    public static int[][] Of(List<RecordedLaunch> launches)
    {
        int count = launches.Count;
        var after = new List<int>[count];
        int[] awaited = new int[count], chain = new int[count];
        for (int i = count - 1; i >= 0; i--)
        {
            after[i] = [];
            for (int later = i + 1; later < count; later++)
            {
                if (launches[i].Arrays.ConflictsWith(launches[later].Arrays))
                {
                    after[i].Add(later);
                    awaited[later]++;
                    chain[i] = Math.Max(chain[i], chain[later] + 1);
                }
            }
        }
        List<int> ready = [.. Enumerable.Range(0, count).Where(i => awaited[i] == 0)];
        List<int[]> plan = [];
        while (ready.Count > 0)
        {
            ready.Sort((a, b) => chain[a] != chain[b] ? chain[b].CompareTo(chain[a]) : a.CompareTo(b));
            var first = launches[ready[0]];
            int[] joined = [ready[0], .. ready.Skip(1).Where(i => first.Matches(launches[i])).Take(first.MostJoined - 1)];
            plan.Add(joined);
            ready.RemoveAll(joined.Contains);
            foreach (int later in joined.SelectMany(i => after[i]))
            {
                if (--awaited[later] == 0)
                {
                    ready.Add(later);
                }
            }
        }
        return [.. plan];
    }
}

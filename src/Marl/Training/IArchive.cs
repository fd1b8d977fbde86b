namespace Marl.Native.Rl;

/// <summary>
/// What a run's state is saved to and restored from. An object names its state once, in one method that serves both ways, so that what is
/// saved and what is restored cannot differ.
/// </summary>
public interface IArchive
{
    /// <summary>Whether values flow from the archive into the object.</summary>
    bool Loading { get; }

    /// <summary>The same archive, under whose names <paramref name="name"/> and a dot come first.</summary>
    IArchive Scope(string name);

    /// <summary>An array of float, double, int, long, ulong or bool. When loading it is replaced.</summary>
    void Array<T>(string name, ref T[] values) where T : unmanaged;

    /// <summary>The numbers of a tensor; the shape must fit.</summary>
    void Tensor(string name, Tensor values);

    /// <summary>One number.</summary>
    void Value<T>(string name, ref T value) where T : unmanaged
    {
        T[] values = [value];
        Array(name, ref values);
        value = values[0];
    }

    /// <summary>A generator's two words.</summary>
    void Rng(string name, ref Rng rng)
    {
        ulong[] words = [rng.Key, rng.Counter];
        Array(name, ref words);
        rng = new Rng(words[0], words[1]);
    }
}

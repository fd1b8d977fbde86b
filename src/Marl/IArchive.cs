namespace Marl.Native.Rl;

/// <summary>
/// What a run's state is saved to and restored from. An object names its state once, in one method that serves both ways, so that what is
/// saved and what is restored cannot differ.
/// </summary>
public interface IArchive
{
    /// <summary>Whether values flow from the archive into the object.</summary>
    bool IsLoading { get; }

    /// <summary>The same archive, under whose names <paramref name="name"/> and a dot come first.</summary>
    IArchive Scope(string name);

    /// <summary>Numbers (float, double, int, long, ulong or bool), as many as are saved.</summary>
    /// <exception cref="InvalidDataException">when loading: there are none of that name, type and length.</exception>
    void Array<T>(string name, Span<T> values) where T : unmanaged;

    /// <summary>The numbers of a tensor; the shape must fit.</summary>
    void Tensor(string name, Tensor values);

    /// <summary>One number.</summary>
    void Value<T>(string name, ref T value) where T : unmanaged => Array(name, new Span<T>(ref value));

    /// <summary>A generator's two words.</summary>
    void Rng(string name, ref Rng rng)
    {
        Span<ulong> words = [rng.Key, rng.Counter];
        Array(name, words);
        rng = new Rng(words[0], words[1]);
    }
}
